//! pacman: Arch Linux and what descends from it.

mod command;
mod database;
mod failure;
mod hold;
mod package_manager;
mod repository;
#[cfg(test)]
mod test_archive;
#[cfg(test)]
mod tests;

pub use package_manager::PacmanManager;
pub use repository::PacmanRepositories;
