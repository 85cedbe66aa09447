//! dnf, and yum under its old name: Fedora, RHEL and what descends from them.

mod command;
mod failure;
mod locks;
mod package_manager;
mod simulation;
#[cfg(test)]
mod tests;

pub use package_manager::DnfManager;
