//! The programs that change packages by pacman.

use crate::host::Program;
use crate::provider::package::{
    PackageAction, PackageName, PlannedInstall, Request, Simulation, Step, package_program,
};
use std::time::Duration;

const PACMAN: [&str; 4] = ["pacman", "--noconfirm", "--noprogressbar", "--color=never"];
/// What a simulation prints for each package, so that what comes and what goes can be told apart.
const COMES: &str = "comes %n %v";
const GOES: &str = "goes %n %v";

/// What goes and what comes are two transactions of pacman's, in this order.
pub(super) fn plan_steps(request: &Request<'_>) -> Vec<Step> {
    let goes = request.changes.iter().filter(|change| change.removes()).map(|change| change.name.name());
    let goes: Vec<&str> = goes.chain(request.extra.iter().map(String::as_str)).collect();
    let comes: Vec<&str> =
        request.changes.iter().filter(|change| !change.removes()).map(|change| change.name.name()).collect();
    let mut steps = Vec::new();
    if !goes.is_empty() {
        steps.push(step(&["--remove"], GOES, &goes, request.timeout));
    }
    if !comes.is_empty() {
        steps.push(step(&["--sync", "--needed"], COMES, &comes, request.timeout));
    }
    steps
}

fn step(operation: &[&str], format: &str, names: &[&str], timeout: Duration) -> Step {
    let program = |print: &[&str]| {
        let argv = PACMAN.iter().chain(operation).chain(print).chain(["--"].iter()).chain(names);
        package_program(argv.map(|word| (*word).to_owned()), timeout)
    };
    Step {
        simulate: program(&["--print", "--print-format", format]),
        commit: Program { outlives: true, ..program(&[]) },
    }
}

/// Tells what goes with what is removed, when everything goes that nothing needs.
pub(super) fn cleaning_program(request: &Request<'_>) -> Program {
    let removed = request.changes.iter().filter(|change| matches!(change.action, PackageAction::Remove { .. }));
    let names: Vec<&str> = removed.map(|change| change.name.name()).collect();
    step(&["--remove", "--recursive"], GOES, &names, request.timeout).simulate
}

/// Reads what the simulation of a step printed.
pub(super) fn load_simulation(output: &str) -> Simulation {
    let mut simulation = Simulation::default();
    for line in output.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["comes", name, version] => {
                let (name, new) = (name.to_owned(), version.to_owned());
                simulation.installs.push(PlannedInstall { name, old: None, new });
            }
            ["goes", name, _] => _ = simulation.removals.insert(name.to_owned()),
            _ => {}
        }
    }
    simulation
}

/// Says which version of a package is to be had: there is one only.
pub(super) fn versions_program(name: &PackageName, timeout: Duration) -> Program {
    let words = ["--sync", "--print", "--nodeps", "--nodeps", "--print-format", COMES, "--", name.name()];
    package_program(PACMAN.into_iter().chain(words).map(str::to_owned), timeout)
}

/// Says which installed packages have a newer version to be had.
pub(super) fn upgradable_program(timeout: Duration) -> Program {
    package_program(["pacman", "--color=never", "--query", "--upgrades"].map(str::to_owned), timeout)
}

/// Refreshes the lists of packages.
pub(super) fn refresh_program(timeout: Duration) -> Program {
    package_program(PACMAN.into_iter().chain(["--sync", "--refresh"]).map(str::to_owned), timeout)
}
