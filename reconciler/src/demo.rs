//! `muster demo`: the whole way of a change, on this machine, without root.
//!
//! Real keys, a real state repository and real pushes, the orchestrator as a
//! process and three agents in sandbox roots. Every step is observed on disk.
#![allow(clippy::disallowed_methods, reason = "lays out folders, starts processes and looks at the disk")]
#![allow(clippy::print_stderr, reason = "the demo talks to a person")]

mod agent_program;
mod approval;
mod compliance;
mod figures;
mod folders;
mod hosts;
mod interrupt;
mod narration;
mod process;
mod repository;
mod server;
mod story;

pub use figures::Figures;
pub use story::{DemoOptions, run};
