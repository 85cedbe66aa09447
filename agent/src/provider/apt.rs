//! Debian's packages: read from dpkg's and apt's files, changed by `apt-get`.
//!
//! Reading runs no program. Every change is simulated first, and refused when it would reach further than asked.

pub mod automatic;
pub mod database;
pub mod failure;
pub mod name;
pub mod simulation;
mod stanza;
pub mod version;
