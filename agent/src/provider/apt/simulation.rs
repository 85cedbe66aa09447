//! What `apt-get --simulate` says that it would do.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::version::compare_versions;

#[cfg(test)]
mod tests;

/// What a transaction would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulation {
    /// Packages that it would install or change.
    pub installs: Vec<PlannedInstall>,
    /// Names of packages that it would remove.
    pub removals: BTreeSet<String>,
    /// Where apt took a word for something else than the name of one package.
    pub misread: Option<String>,
}

/// One package that would be installed or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedInstall {
    /// Its name, with `:arch` where it is a foreign one.
    pub name: String,
    /// The version that is installed, if one is.
    pub old: Option<String>,
    /// The version that would be.
    pub new: String,
}

impl PlannedInstall {
    /// Whether the version would go down.
    pub fn is_downgrade(&self) -> bool {
        self.old.as_deref().is_some_and(|old| compare_versions(&self.new, old) == Ordering::Less)
    }
}

/// Reads the output of `apt-get --simulate`. Lines of no meaning here are passed over.
pub fn load_simulation(output: &str) -> Simulation {
    let mut simulation = Simulation::default();
    for line in output.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Inst") => simulation.installs.extend(planned_install(line)),
            Some("Remv" | "Purg") => simulation.removals.extend(words.next().map(str::to_owned)),
            Some("Note,") if ["for regex", "for glob", "for task"].iter().any(|told| line.contains(told)) => {
                simulation.misread.get_or_insert_with(|| line.to_owned());
            }
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
