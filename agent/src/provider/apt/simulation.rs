//! What `apt-get --simulate` says that it would do.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::version::compare_versions;

#[cfg(test)]
mod tests;

/// What a transaction would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Simulation {
    /// Packages that it would install or change.
    pub(super) installs: Vec<PlannedInstall>,
    /// Names of packages that it would remove.
    pub(super) removals: BTreeSet<String>,
}

/// One package that would be installed or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedInstall {
    /// Its name, with `:arch` where it is a foreign one.
    pub(super) name: String,
    /// The version that is installed, if one is.
    pub(super) old: Option<String>,
    /// The version that would be.
    pub(super) new: String,
}

impl PlannedInstall {
    /// Whether the version would go down.
    pub(super) fn is_downgrade(&self) -> bool {
        self.old.as_deref().is_some_and(|old| compare_versions(&self.new, old) == Ordering::Less)
    }
}

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
