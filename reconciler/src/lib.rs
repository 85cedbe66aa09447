//! The orchestrator and the operator's command line.

pub mod access;
pub mod attest;
pub mod audit;
pub mod breakglass;
pub mod broker;
pub mod bundle;
pub mod cli;
pub mod cycle;
pub mod demo;
pub mod enrolment;
pub mod events;
pub mod inbound;
pub mod io;
pub mod keys;
pub mod model;
pub mod plan;
pub mod policy;
pub mod query;
pub mod render;
pub mod rollout;
pub mod sealing;
pub mod serve;
pub mod sops;
pub mod state;
pub mod status;
pub mod template;
pub mod verify;
pub mod witness;

#[cfg(test)]
mod test_dice;
#[cfg(test)]
mod test_repository;
