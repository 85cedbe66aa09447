//! What the orchestrator knows of its fleet, and how reports change it. Pure.

mod assignments;
mod facts_record;
mod fleet;
mod fold;
mod host;

pub use assignments::Assignments;
pub use facts_record::FactsRecord;
pub use fleet::{FleetStatus, Pending};
pub use fold::{Folded, fold_facts, fold_report};
pub use host::{Axes, CONTACT_LOST, CONTACT_STALE, Desired, Hold, HostStatus, MAX_TRANSITIONS};
