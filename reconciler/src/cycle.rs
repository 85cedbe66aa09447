//! The orchestrator's loop: reconcile what was pushed, take in what agents say,
//! keep heads fresh, commit status.
//!
//! One task owns everything that changes; the surfaces read copies. A
//! reconcile, in order: verify the commits, load and check the model, choose
//! the wave, render, sign, publish, notify, commit status.

mod archive;
mod audit;
mod bind;
mod broker;
mod committed_facts;
mod declare;
mod digest_trail;
mod effects;
mod enrol;
mod error;
mod facts;
mod greet;
mod intake;
mod prune;
mod publish;
mod quarantine;
mod reconcile;
mod rekey;
mod renew;
mod retire;
mod run;
mod save;
mod start;
mod survey;
#[cfg(test)]
mod tests;
mod waiting;
mod witness;

pub use effects::{EffectsByFacts, FleetRenders};
pub use error::CycleError;
pub use run::run_cycle;
pub use start::{Config, Orchestrator};
