//! zypper: openSUSE and SUSE Linux Enterprise.

mod command;
mod failure;
mod locks;
mod package_manager;
mod repository;
mod simulation;
#[cfg(test)]
mod tests;

pub use package_manager::ZypperManager;
pub use repository::ZypperRepositories;
