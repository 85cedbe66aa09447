//! The orchestrator's REST API, below `/api/v1`: what is answered, and how a list is asked for. The same types write
//! its OpenAPI document.

mod assignments;
mod axes;
mod desired;
mod event;
mod filter;
mod finding_view;
mod fleet_view;
mod host_summary;
mod host_view;
mod openapi;
mod page;
mod pending_view;
mod revision_view;
mod token_view;

pub use assignments::Assignments;
pub use axes::Axes;
pub use desired::Desired;
pub use event::{Event, EventKind};
pub use filter::{
    EVENT_FILTERS, FINDING_FILTERS, Filter, HOST_FILTERS, PENDING_FILTERS, REVISION_FILTERS, TOKEN_FILTERS,
};
pub use finding_view::{FindingScope, FindingView};
pub use fleet_view::FleetView;
pub use host_summary::HostSummary;
pub use host_view::HostView;
pub use openapi::fleet_openapi;
pub use page::{DEFAULT_LIMIT, MAX_LIMIT, Page};
pub use pending_view::PendingView;
pub use revision_view::{RevisionView, Verdict};
pub use token_view::{TokenState, TokenUse, TokenView};

#[cfg(test)]
mod generated;
