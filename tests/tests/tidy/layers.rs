//! Which crate may know which, and where the world is touched.

use crate::check;
use crate::source::{Source, sources};

/// Crates that bring I/O, a runtime or a clock.
const WORLDLY: &[&str] =
    &["axum", "getrandom", "git2", "lapin", "notify", "rustix", "sled", "tempfile", "tokio", "ureq", "zbus"];

/// What a crate without I/O, async and clock never says.
const WORLDLY_CODE: &[&str] = &[
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::env",
    "std::thread",
    "std::io::Read",
    "SystemTime",
    "Instant",
    "async fn",
    ".await",
    "Timestamp::now",
    "Zoned::now",
];

/// Modules that read no file and no clock: they are given everything.
const PURE: &[&str] = &[
    "reconciler/src/audit",
    "reconciler/src/broker",
    "reconciler/src/bundle",
    "reconciler/src/model",
    "reconciler/src/policy",
    "reconciler/src/render",
    "reconciler/src/rollout",
    "reconciler/src/sops",
    "reconciler/src/status",
    "agent/src/plan",
    "agent/src/verify",
];

/// Where a module may allow itself the methods that clippy.toml forbids: the folders of ports, and by name
/// what is a port without standing in one.
const EDGES: &[&str] = &["/io/", "/host/", "/provider/", "/extension/", "/cli/", "/machines/", "/bench/", "/fuzz/"];
const EDGE_FILES: &[&str] = &[
    "agent/src/host.rs",
    "agent/src/ledger.rs",
    "agent/src/main.rs",
    "agent/src/store.rs",
    "agent/src/vault.rs",
    "reconciler/src/demo.rs",
    "reconciler/src/keys.rs",
    "reconciler/src/main.rs",
];

fn manifest(crate_name: &str) -> toml_lines::Manifest {
    let path = format!("{crate_name}/Cargo.toml");
    let source = sources(&["Cargo.toml"]).into_iter().find(|source| source.path == path).unwrap();
    toml_lines::Manifest::load(&source.text)
}

#[test]
fn the_schema_crate_has_no_io_no_async_and_no_clock() {
    let needs = manifest("schema").dependencies;
    let wrong: Vec<String> = WORLDLY
        .iter()
        .filter(|name| needs.iter().any(|need| need == *name))
        .map(|name| format!("schema/Cargo.toml depends on {name}"))
        .collect();
    check("schema depends on crates without I/O only", &wrong);
    let schema = |source: &Source| source.path.starts_with("schema/src/") && !source.is_test();
    check("schema touches no file, clock or task", &says(schema, WORLDLY_CODE));
}

#[test]
fn reconciler_and_agent_never_see_each_other() {
    for (own, other) in [("reconciler", "muster-agent"), ("agent", "muster-reconciler")] {
        let manifest = manifest(own);
        let all = manifest.dependencies.iter().chain(&manifest.dev_dependencies);
        let wrong: Vec<String> =
            all.filter(|need| *need == other).map(|need| format!("{own} depends on {need}")).collect();
        check("reconciler ─► schema ◄─ agent", &wrong);
    }
    let needs = manifest("schema").dependencies;
    check("schema stands below all", &needs.into_iter().filter(|need| need.starts_with("muster-")).collect::<Vec<_>>());
}

#[test]
fn pure_modules_do_not_reach_for_the_ports() {
    let pure = |source: &Source| {
        !source.is_test()
            && PURE.iter().any(|module| {
                source.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            })
    };
    let words = ["crate::io", "std::fs::", "SystemTime::now", "Instant::now", "Timestamp::now", "async fn", ".await"];
    let mut findings = says(pure, &words);
    // Signing is the last step of packing; the signer is handed in.
    findings.retain(|finding| !(finding.starts_with("reconciler/src/bundle.rs") && finding.contains("io::signer")));
    check("pure modules are given everything", &findings);
}

#[test]
fn only_ports_allow_themselves_files_processes_and_the_clock() {
    let inner = |source: &Source| {
        !source.is_test()
            && !EDGES.iter().any(|edge| source.path.contains(edge))
            && !EDGE_FILES.contains(&source.path.as_str())
    };
    check("I/O stands in io/, host/, provider/", &says(inner, &["clippy::disallowed_methods"]));
}

/// Every use of one of `words` in code of the chosen files.
fn says(chosen: impl Fn(&Source) -> bool, words: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources(&[".rs"]).iter().filter(|source| chosen(source)) {
        for (number, line) in source.code().lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                findings.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    findings
}

/// As much of a Cargo.toml as the arrows need: the names in its tables of dependencies.
mod toml_lines {
    #[derive(Default)]
    pub(super) struct Manifest {
        pub(super) dependencies: Vec<String>,
        pub(super) dev_dependencies: Vec<String>,
    }

    impl Manifest {
        pub(super) fn load(text: &str) -> Self {
            let mut manifest = Self::default();
            let mut table = String::new();
            for line in text.lines().map(str::trim) {
                if let Some(head) = line.strip_prefix('[') {
                    table = head.trim_end_matches(']').to_owned();
                } else if let Some(name) = line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()) {
                    match table.rsplit('.').next() {
                        Some("dependencies" | "build-dependencies") => manifest.dependencies.push(name.to_owned()),
                        Some("dev-dependencies") => manifest.dev_dependencies.push(name.to_owned()),
                        _ => {}
                    }
                }
            }
            manifest
        }
    }
}
