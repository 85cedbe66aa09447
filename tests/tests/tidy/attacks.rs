//! The page of attacks and the names of the tests are in step.

use std::collections::BTreeSet;

use muster_tests::attack::{Case, cases_of_function, load_cases};

use crate::check;
use crate::source::{sources, top};

/// Cases that nothing tries yet; `make attack` counts them as failed. Keep this list short, and then empty.
const NOT_YET: &[u8] = &[];

fn cases() -> Vec<Case> {
    load_cases(&std::fs::read_to_string(top().join("docs/attacks.md")).unwrap())
}

#[test]
fn every_case_has_a_line_and_a_test() {
    let (mut tried, mut findings) = (BTreeSet::new(), Vec::new());
    for source in sources(&[".rs"]).iter().filter(|source| source.is_test()) {
        let is_attack = source.path.trim_end_matches(".rs").split('/').any(|part| part == "attack");
        for line in source.code().lines() {
            let Some((_, rest)) = line.split_once("fn ").filter(|(before, _)| !before.starts_with(' ')) else {
                continue;
            };
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let cases = cases_of_function(&name);
            if !cases.is_empty() && !is_attack {
                findings.push(format!("{}: {name} is in no module `attack`", source.path));
            }
            tried.extend(cases);
        }
    }
    let lines: Vec<u8> = cases().iter().map(|case| case.number).collect();
    assert_eq!(lines, (1..=53).collect::<Vec<u8>>(), "docs/attacks.md has each case once, in order");
    for case in &lines {
        match (tried.contains(case), NOT_YET.contains(case)) {
            (false, false) => findings.push(format!("A{case} has no test")),
            (true, true) => findings.push(format!("A{case} has a test by now")),
            _ => {}
        }
    }
    findings.extend(tried.iter().filter(|case| !lines.contains(case)).map(|case| format!("A{case} is on no page")));
    check("docs/attacks.md and the tests name the same cases", &findings);
}

#[test]
fn every_code_of_the_attacks_is_a_known_one() {
    let codes = std::fs::read_to_string(top().join("docs/reference/reject-codes.md")).unwrap();
    let unknown = |code: &&String| !codes.contains(&format!("| `{code}` |"));
    let all = cases();
    let findings: Vec<String> =
        all.iter().flat_map(|case| &case.codes).filter(unknown).map(|code| format!("{code} is no code")).collect();
    check("docs/attacks.md names codes of reference/reject-codes.md", &findings);
}
