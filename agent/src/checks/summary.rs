//! What all checks together mean for the host.

use muster_schema::Address;

/// The checks that matter for the host's health; of each kind the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckSummary {
    /// A required check that fails, and why.
    pub failing: Option<String>,
    /// A wanted check that fails, and why.
    pub warning: Option<String>,
    /// A required check that has no answer yet under the manifest in force.
    pub undecided: Option<Address>,
}
