//! Debian's packages: read from dpkg's and apt's files, changed by `apt-get`.
//!
//! Reading runs no program. Every change is simulated first, and refused when it would reach further than asked.

mod command;
mod database;
mod failure;
mod manager;
mod name;
mod simulation;
mod stanza;
#[cfg(test)]
pub(crate) mod test_archive;
#[cfg(test)]
mod tests;
mod upgradable;
mod version;

pub use manager::AptManager;
pub use version::compare_versions;
