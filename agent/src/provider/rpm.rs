//! rpm: the database and the versions that dnf and zypper share.

mod database;
mod options;
#[cfg(test)]
pub(crate) mod test_archive;
mod version;

pub(super) use database::{DATABASES, load_database};
pub(super) use options::lacks;
pub(super) use version::{compare_versions, compare_wanted};
