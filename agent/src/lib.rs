//! The agent of muster: it fetches a host's signed share, verifies it, converges the host and keeps it so.
//!
//! Pure parts (`plan`, `verify`) do no I/O. The host is touched through `host`, everything else outside through `io`.

pub mod accepted;
pub mod apply;
mod archive;
pub mod asked;
pub mod breakglass;
pub mod checks;
pub mod cli;
pub mod config;
pub mod converge;
pub mod cycle;
pub mod enrol;
pub mod extension;
pub mod facts;
pub mod host;
pub mod io;
pub mod known;
pub mod ledger;
pub mod message;
pub mod outbox;
pub mod plan;
pub mod provider;
pub mod resource;
pub mod rest;
pub mod secrets;
pub mod settings;
pub mod store;
#[cfg(test)]
mod test_crash;
#[cfg(test)]
mod test_daemon;
#[cfg(test)]
mod test_disk;
#[cfg(test)]
mod test_machine;
#[cfg(test)]
mod test_orchestrator;
#[cfg(test)]
mod test_tar;
#[cfg(test)]
mod test_web;
mod text_lines;
pub mod token;
pub mod vault;
pub mod verify;
pub mod watch;
pub mod worker;
