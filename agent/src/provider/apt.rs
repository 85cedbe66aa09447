//! Debian's packages: read from dpkg's and apt's files, changed by `apt-get`.
//!
//! Reading runs no program. Every change is simulated first, and refused when it would reach further than asked.

mod change;
mod check;
mod command;
mod database;
mod failure;
mod lock;
mod name;
mod simulation;
mod stanza;
#[cfg(test)]
pub(crate) mod test_archive;
mod transaction;
mod upgradable;
mod version;

pub use change::{PackageAction, PackageChange};
pub use database::{Installed, PackageDatabase, STATUS_FILE};
pub use lock::is_installing;
pub use name::{BadPackageName, PackageName};
pub use transaction::{Apt, AptError, Surroundings};
pub use upgradable::Upgradable;
pub use version::{compare_versions, matches_version};
