//! Debian's packages: read from dpkg's and apt's files, changed by `apt-get`.
//!
//! Reading runs no program. Every change is simulated first, and refused when it would reach further than asked.

mod command;
mod database;
mod failure;
mod name;
mod package_manager;
mod repository;
mod simulation;
mod stanza;
#[cfg(test)]
pub(crate) mod test_archive;
#[cfg(test)]
mod tests;
mod upgradable;
mod version;

pub use database::{STATUS_FILE, load_database};
pub use package_manager::AptManager;
pub use repository::AptRepositories;
pub(super) use stanza::{Event, Stanzas};
pub use version::compare_versions;
