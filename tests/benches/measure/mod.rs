//! What is measured, each in a module of its own.

pub(crate) mod cold;
pub(crate) mod figures;
mod folder_watch;
pub(crate) mod host;
mod large_fleet;
pub(crate) mod latency;
pub(crate) mod noop;
mod process_cost;
pub(crate) mod query;
pub(crate) mod render;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod template;
pub(crate) mod verify;
