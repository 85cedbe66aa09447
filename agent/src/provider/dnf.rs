//! dnf, and yum under its old name: Fedora, RHEL and what descends from them.

mod command;
mod failure;
mod locks;
mod package_manager;
mod repository;
mod simulation;
#[cfg(test)]
mod tests;

pub use package_manager::DnfManager;
pub use repository::DnfRepositories;
