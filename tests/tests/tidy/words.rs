//! Words that belong to no published file.

use crate::check;
use crate::source::sources;

#[test]
fn nothing_names_a_machine_or_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let words: Vec<String> = [
        ("/wo", "rk/"),
        ("/ro", "ot/."),
        ("/home", "/u"),
        ("deb.deb", "ian.org"),
        ("index.cra", "tes.io"),
        ("todo", "!("),
        ("unimpl", "emented!("),
        ("FIX", "ME"),
        ("TO", "DO"),
        ("XX", "X:"),
        ("db", "g!("),
    ]
    .iter()
    .map(|(start, end)| format!("{start}{end}"))
    .collect();
    let mut findings = Vec::new();
    for source in sources(&[".rs", ".toml", ".sh", ".md", ".yaml", ".yml", ".json", ".c", "Makefile", "run"]) {
        for (number, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                findings.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    check("no machine's paths, no registry's hosts, nothing left for later", &findings);
}

#[test]
fn no_drawer_for_everything() {
    let drawers = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];
    let mut findings = Vec::new();
    for source in sources(&[".rs"]) {
        let parts = source.path.trim_end_matches(".rs").split('/');
        findings.extend(parts.filter(|part| drawers.contains(part)).map(|part| format!("{}: {part}", source.path)));
    }
    check("a module says what it holds", &findings);
}
