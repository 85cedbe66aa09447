use super::BUILD;
use std::process::Command;

/// Cargo plans the build and says what it would do; nothing is built.
#[test]
fn cargo_finds_the_agents_program_from_this_packages_folder() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut plan = Command::new(cargo);
    plan.args(BUILD).args(["--locked", "--unit-graph", "-Z", "unstable-options"]);
    plan.env("RUSTC_BOOTSTRAP", "1").current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = plan.output().unwrap();
    let graph = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(graph.contains(r#""name":"muster-agent""#), "{graph:.300}");
}
