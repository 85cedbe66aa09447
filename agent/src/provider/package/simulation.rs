//! What a transaction would do.

use std::collections::BTreeSet;

/// What a manager says that a transaction would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulation {
    /// Packages that it would install or change.
    pub installs: Vec<PlannedInstall>,
    /// Names of packages that it would remove.
    pub removals: BTreeSet<String>,
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

impl Simulation {
    /// What both would do.
    pub(super) fn join(&mut self, other: Simulation) {
        self.installs.extend(other.installs);
        self.removals.extend(other.removals);
    }
}
