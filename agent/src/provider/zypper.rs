//! zypper: openSUSE and SUSE Linux Enterprise.

mod command;
mod failure;
mod locks;
mod manager;
mod simulation;
#[cfg(test)]
mod tests;

pub use manager::ZypperManager;
