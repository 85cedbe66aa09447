//! pacman: Arch Linux and what descends from it.

mod command;
mod database;
mod failure;
mod hold;
mod manager;
#[cfg(test)]
mod test_archive;
#[cfg(test)]
mod tests;

pub use manager::PacmanManager;
