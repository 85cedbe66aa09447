//! The agent's REST API: what may be asked, and what is answered. It is the same on the host's unix socket and through
//! the orchestrator, and the same types write its OpenAPI document.

mod live_facts;
mod openapi;
mod problem;
mod request;
mod resource_view;
mod run_view;

pub use live_facts::{InterfaceFacts, LiveFacts, LoadFacts, MountFacts, PackageFacts, ServiceFacts};
pub use openapi::agent_openapi;
pub(crate) use openapi::agent_paths;
pub use problem::{Problem, ProblemReason};
pub use request::{ApiRequest, Method};
pub use resource_view::{
    CollectionLine, CollectionView, CollectionsView, DesiredView, LastChange, ObservedView, ResourceLine, ResourceView,
};
pub use run_view::{ConvergeView, PlanView, PlannedChange};

#[cfg(test)]
mod generated;
#[cfg(test)]
pub(crate) use generated::check_generated;
#[cfg(test)]
mod tests;

/// The content type of an answer that is no problem.
pub const JSON_TYPE: &str = "application/json";

/// The content type of a problem (RFC 9457).
pub const PROBLEM_TYPE: &str = "application/problem+json";
