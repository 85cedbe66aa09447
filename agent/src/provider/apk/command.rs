//! The programs that change packages by apk, and what they write.

use crate::host::Program;
use crate::provider::package::{
    PackageAction, PackageName, PlannedInstall, Request, Simulation, Step, package_program,
};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Nobody is asked; its lock is waited for, in seconds.
const APK: [&str; 5] = ["apk", "--no-interactive", "--no-progress", "--wait", "120"];

/// What goes and what comes are two transactions of apk's, in this order. With what goes, apk takes what nothing needs.
pub(super) fn plan_steps(request: &Request<'_>) -> Vec<Step> {
    let goes: Vec<String> =
        request.changes.iter().filter(|change| change.removes()).map(|change| change.name.to_string()).collect();
    let word = |name: &PackageName, action: &PackageAction| match action {
        PackageAction::Install { version: Some(version) } => format!("{name}={version}"),
        _ => name.to_string(),
    };
    let comes: Vec<String> = request
        .changes
        .iter()
        .filter(|change| !change.removes())
        .map(|change| word(&change.name, &change.action))
        .collect();
    let upgrade = request.changes.iter().any(|change| change.action == PackageAction::Upgrade);
    let add: &[&str] = if upgrade { &["add", "--upgrade"] } else { &["add"] };
    let mut steps = Vec::new();
    if !goes.is_empty() {
        steps.push(step(&["del"], &goes, request.timeout));
    }
    if !comes.is_empty() {
        steps.push(step(add, &comes, request.timeout));
    }
    steps
}

fn step(verb: &[&str], words: &[String], timeout: Duration) -> Step {
    let program = |simulate: &[&str]| {
        let argv = APK.iter().chain(verb).chain(simulate).map(|word| (*word).to_owned());
        package_program(argv.chain(words.iter().cloned()), timeout)
    };
    Step { simulate: program(&["--simulate"]), commit: Program { outlives: true, ..program(&[]) } }
}

/// Tells what goes with what is removed.
pub(super) fn cleaning_program(request: &Request<'_>) -> Program {
    let goes = request.changes.iter().filter(|change| change.removes()).map(|change| change.name.to_string());
    step(&["del"], &goes.collect::<Vec<_>>(), request.timeout).simulate
}

/// Puts these words into the world; one that has a version pins it.
pub(super) fn add_program(words: &[String], timeout: Duration) -> Program {
    step(&["add"], words, timeout).commit
}

/// Any other query or order of apk's.
pub(super) fn plain_program(words: &[&str], timeout: Duration) -> Program {
    package_program(APK.iter().chain(words).map(|word| (*word).to_owned()), timeout)
}

/// `(1/2) Installing pcre (8.45-r2)`, `(1/1) Upgrading pcre (8.45-r1 -> 8.45-r2)`, `(1/1) Purging pcre (8.45-r2)`.
pub(super) fn load_simulation(output: &str) -> Simulation {
    let mut simulation = Simulation::default();
    for line in output.lines().filter(|line| line.starts_with('(')) {
        let words: Vec<&str> = line.split_whitespace().skip(1).map(|word| word.trim_matches(['(', ')'])).collect();
        let (name, old, new) = match words[..] {
            ["Purging", name, ..] => {
                simulation.removals.insert(name.to_owned());
                continue;
            }
            ["Installing", name, new, ..] => (name, None, new),
            ["Upgrading" | "Downgrading", name, old, "->", new, ..] => (name, Some(old.to_owned()), new),
            _ => continue,
        };
        simulation.installs.push(PlannedInstall { name: name.to_owned(), old, new: new.to_owned() });
    }
    simulation
}

/// `apk policy`: versions are the lines that end in a colon, below the heading.
pub(super) fn load_versions(output: &str) -> Vec<String> {
    output.lines().skip(1).filter_map(|line| Some(line.strip_suffix(':')?.trim().to_owned())).collect()
}
