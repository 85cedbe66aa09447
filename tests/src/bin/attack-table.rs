//! `attack-table PAGE REPORT`: the cases of `docs/attacks.md` with what nextest's JUnit report says of their tests.
//! Ends with `N passed, M failed`, counted in cases; exit code 0 when none failed.

#![allow(clippy::disallowed_methods)]

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use muster_tests::attack::{load_cases, load_results};

fn main() -> Result<ExitCode> {
    let [page, report] = [1, 2].map(|at| std::env::args().nth(at));
    let (page, report) = page.zip(report).context("usage: attack-table PAGE REPORT")?;
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("read {path}"));
    let (cases, results) = (load_cases(&read(&page)?), load_results(&read(&report)?)?);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:5}{:9}{:9}{:6}{:11}what is tried", "case", "result", "outcome", "tests", "over")?;
    let mut passed = 0;
    for case in &cases {
        let tried = results.get(&case.number).cloned().unwrap_or_default();
        let result = match (tried.is_passed(), tried.failed, tried.skipped) {
            (true, ..) => "passed",
            (_, 0, 0) => "not yet",
            (_, 0, _) => "skipped",
            _ => "FAILED",
        };
        passed += usize::from(tried.is_passed());
        let all = tried.passed + tried.failed + tried.skipped;
        let (name, tests) = (format!("A{}", case.number), format!("{}/{all}", tried.passed));
        let over: Vec<&str> = tried.transports.into_iter().collect();
        let places: Vec<String> = tried.places.into_iter().collect();
        let (over, places) = (over.join(","), places.join(", "));
        writeln!(out, "{name:5}{result:9}{:9}{tests:6}{over:11}{} [{places}]", case.outcome, case.attempt)?;
    }
    writeln!(out, "{passed} passed, {} failed", cases.len() - passed)?;
    Ok(ExitCode::from(u8::from(passed != cases.len())))
}
