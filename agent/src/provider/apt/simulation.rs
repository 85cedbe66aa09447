//! What `apt-get --simulate` says that it would do.

use crate::provider::package::{PlannedInstall, Simulation};

#[cfg(test)]
mod tests;

/// Reads the output of `apt-get --simulate`. Lines of no meaning here are passed over.
pub(super) fn load_simulation(output: &str) -> Simulation {
    let mut simulation = Simulation::default();
    for line in output.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Inst") => simulation.installs.extend(planned_install(line)),
            Some("Remv" | "Purg") => simulation.removals.extend(words.next().map(str::to_owned)),
            _ => {}
        }
    }
    simulation
}

/// `Inst name [old] (new origin … [arch]) …`; `[old]` is missing where nothing is installed.
fn planned_install(line: &str) -> Option<PlannedInstall> {
    let mut words = line.split_whitespace().skip(1);
    let name = words.next()?.to_owned();
    let mut next = words.next()?;
    let old = next.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::to_owned);
    if old.is_some() {
        next = words.next()?;
    }
    let new = next.strip_prefix('(')?.trim_end_matches(')').to_owned();
    Some(PlannedInstall { name, old, new })
}
