//! Licences and sources of the dependencies, after `deny.toml`. `make deny` asks for more (advisories), and needs the
//! network; this needs neither it nor a program.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use toml_edit::DocumentMut;

use crate::check;
use crate::source::top;

/// What deny.toml says: allowed licences, and the platforms that count.
struct Rules {
    allowed: BTreeSet<String>,
    targets: Vec<String>,
    banned: BTreeSet<String>,
}

impl Rules {
    fn read() -> Rules {
        let text = std::fs::read_to_string(top().join("deny.toml")).unwrap();
        let document: DocumentMut = text.parse().unwrap();
        let texts = |table: &str, key: &str| -> Vec<String> {
            let array = document[table][key].as_array().unwrap();
            array.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
        };
        let banned = document["bans"]["deny"].as_array().unwrap();
        Rules {
            allowed: texts("licenses", "allow").into_iter().collect(),
            targets: texts("graph", "targets"),
            banned: banned
                .iter()
                .map(|ban| ban.as_inline_table().unwrap()["crate"].as_str().unwrap().to_owned())
                .collect(),
        }
    }
}

/// Every package that is built for one of the platforms, by its id.
fn packages(targets: &[String]) -> BTreeMap<String, Value> {
    let mut packages = BTreeMap::new();
    for target in targets {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target]);
        let output = cargo.current_dir(top()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let members = metadata["workspace_members"].as_array().unwrap();
        let all = metadata["packages"].as_array().unwrap().iter().filter(|package| !members.contains(&package["id"]));
        packages.extend(all.map(|package| (package["id"].as_str().unwrap().to_owned(), package.clone())));
    }
    packages
}

/// Whether an SPDX expression can be met by the allowed licences alone. A slash is an old way to write OR.
fn is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    alternatives(&mut rest, allowed) == Some(true) && rest.is_empty()
}

/// `A OR B`; none where it is not well formed.
fn alternatives(words: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = conjunction(words, allowed)?;
    while take(words, "OR") {
        met |= conjunction(words, allowed)?;
    }
    Some(met)
}

/// `A AND B`, which binds closer.
fn conjunction(words: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = licence(words, allowed)?;
    while take(words, "AND") {
        met &= licence(words, allowed)?;
    }
    Some(met)
}

fn licence(words: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    if take(words, "(") {
        let met = alternatives(words, allowed)?;
        return take(words, ")").then_some(met);
    }
    let (name, rest) = words.split_first()?;
    *words = rest;
    if !take(words, "WITH") {
        return Some(allowed.contains(*name));
    }
    let (exception, rest) = words.split_first()?;
    *words = rest;
    Some(allowed.contains(&format!("{name} WITH {exception}")))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let is_next = words.first() == Some(&word);
    if is_next {
        *words = &words[1..];
    }
    is_next
}

#[test]
fn licences_and_sources_of_dependencies_are_those_of_deny_toml() {
    let rules = Rules::read();
    let packages = packages(&rules.targets);
    assert!(packages.len() > 100, "{} packages", packages.len());
    let mut findings = Vec::new();
    for package in packages.values() {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        if !text("source").ends_with("/crates.io-index") {
            findings.push(format!("{name} comes from '{}'", text("source")));
        }
        if !is_allowed(text("license"), &rules.allowed) {
            findings.push(format!("{name} has the licence '{}'", text("license")));
        }
        if rules.banned.contains(text("name")) {
            findings.push(format!("{name} is banned"));
        }
    }
    check("dependencies are as deny.toml allows", &findings);
}

#[test]
fn expressions_are_read_as_spdx_says() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned));
    let cases = [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("(GPL-3.0-only OR MIT) AND Apache-2.0", true),
        ("MIT OR GPL-3.0-only AND GPL-2.0-only", true),
        ("(MIT OR GPL-3.0-only) AND GPL-2.0-only", false),
        ("Unlicense/MIT", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("", false),
        ("MIT MIT", false),
        ("(MIT", false),
        ("MIT OR", false),
    ];
    for (expression, expected) in cases {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
