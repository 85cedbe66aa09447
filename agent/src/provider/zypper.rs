//! zypper: openSUSE and SUSE Linux Enterprise.

mod command;
mod failure;
mod locks;
mod package_manager;
mod simulation;
#[cfg(test)]
mod tests;

pub use package_manager::ZypperManager;
