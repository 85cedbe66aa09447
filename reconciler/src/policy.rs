//! Who may change what: `policy/access.yaml` of one revision. No I/O, no clock.
//!
//! A rule grants verbs on paths to principals; what no rule grants is denied. There are no
//! exceptions and no order: every rule only adds.

mod access_policy;
mod bounds;
mod decision;
mod load;
mod outputs;
mod path_pattern;
mod principal_pattern;
mod rule;
mod wildcard;

pub use access_policy::AccessPolicy;
pub use bounds::{Bounds, HostLabels};
pub use decision::{Decision, Denial, Grant};
pub use load::{ACCESS_POLICY, load_access_policy};
pub use outputs::{Output, Outputs};
pub use path_pattern::{BadPathPattern, PathPattern};
pub use principal_pattern::PrincipalPattern;
pub use rule::{ApprovalThreshold, Rule, RuleName};
pub use wildcard::matches_wildcards;

#[cfg(test)]
mod tests;
