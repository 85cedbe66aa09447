//! What the orchestrator knows of its fleet, and how reports change it. Pure.

mod binding;
mod conditions;
mod enrolment_proof;
mod facts_record;
mod files;
mod fleet;
mod fold;
mod host;
mod inert_text;
mod pace;
mod readable_time;

pub use binding::{Binding, Standing};
pub use conditions::fold_conditions;
pub use enrolment_proof::EnrolmentProof;
pub use facts_record::FactsRecord;
pub use files::{
    ChangedHosts, LoadedStatus, RenderStatusError, StatusFileError, StatusFiles, fleet_name, load_status, render_status,
};
pub use fleet::{FleetStatus, Pending};
pub use fold::{Folded, fold_facts, fold_report};
pub use host::{CONTACT_LOST, CONTACT_STALE, Hold, HostStatus, MAX_REVOKED, MAX_TRANSITIONS};
pub use inert_text::{inert_line, markdown_code};
pub use muster_schema::fleet_api::{Assignments, Axes, Desired};
pub use pace::CommitPace;

#[cfg(test)]
pub(crate) mod test_fleet;
