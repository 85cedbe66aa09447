//! The operator's command line and the orchestrator.

pub mod model;
