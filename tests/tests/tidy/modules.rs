//! No file is forgotten: what no `mod` names is neither compiled nor tested.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::check;
use crate::source::{Source, sources};

#[test]
fn every_file_is_part_of_a_crate() {
    let files = sources(&[".rs"]);
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut seen = BTreeSet::new();
    for file in files.iter().filter(|file| is_root(&file.path)) {
        visit(file, &files, &mut seen);
    }
    let lost: Vec<String> = paths.iter().filter(|path| !seen.contains(**path)).map(|path| (*path).to_owned()).collect();
    check("every .rs file is named by a `mod`", &lost);
}

#[test]
fn tests_stand_beside_the_code_not_under_it() {
    let mut findings = Vec::new();
    for source in sources(&[".rs"]).iter().filter(|source| !source.is_test()) {
        for (number, line) in source.code().lines().enumerate() {
            let line = line.trim();
            if line.starts_with("mod tests {") || line == "#[test]" {
                findings.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    check("tests are in foo/tests.rs or tests/", &findings);
}

/// Where cargo starts to read: library, binaries, integration tests, benchmarks, fuzz targets.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [.., "src", "lib.rs" | "main.rs"] | [.., "build.rs"] => true,
        [.., "src", "bin", _] | [.., "tests" | "benches" | "examples" | "fuzz_targets", _] => {
            !parts[..parts.len() - 1].contains(&"src") || parts.contains(&"bin")
        }
        _ => false,
    }
}

fn visit(file: &Source, files: &[Source], seen: &mut BTreeSet<String>) {
    if !seen.insert(file.path.clone()) {
        return;
    }
    let path = Path::new(&file.path);
    let folder = path.parent().unwrap();
    // `foo/mod.rs`, `lib.rs` and their kind look beside them, `foo.rs` looks in `foo/`.
    let below = if is_root(&file.path) || path.ends_with("mod.rs") {
        folder.to_owned()
    } else {
        folder.join(path.file_stem().unwrap())
    };
    let mut named: Option<PathBuf> = None;
    for line in file.code().lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            named = Some(folder.join(rest.trim_end_matches("\"]")));
            continue;
        }
        let Some(name) = declared(line) else { continue };
        let candidates = match named.take() {
            Some(path) => vec![path],
            None => vec![below.join(format!("{name}.rs")), below.join(name).join("mod.rs")],
        };
        for module in files.iter().filter(|file| candidates.iter().any(|path| path == Path::new(&file.path))) {
            visit(module, files, seen);
        }
    }
}

/// The name in `mod name;`, `pub mod name;`, `pub(super) mod name;`.
fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("#[cfg(test)] ").unwrap_or(line).strip_suffix(';')?;
    let (visibility, name) = line.rsplit_once("mod ")?;
    (visibility.is_empty() || visibility.starts_with("pub")).then_some(name)
}
