//! A whole fleet: a state repository with signed commits, an orchestrator, agents.

mod state_repository;

pub use state_repository::{OPERATOR, StateRepository, allowed_signer, make_key};
