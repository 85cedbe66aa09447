//! What does the work on a host: its package manager, its service manager, its account tools.
//!
//! Each provider reads the state of all things in one go, and changes them by the host's own programs and services.

pub mod accounts;
pub mod apk;
pub mod apt;
pub mod dnf;
pub mod init_scripts;
mod openrc;
pub mod package;
pub mod pacman;
pub mod repository;
mod rpm;
pub mod systemd;
mod sysv;
pub mod zypper;
