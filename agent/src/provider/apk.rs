//! apk: Alpine Linux. Written after its manual and tested on recorded texts; it has not met a real apk.

mod command;
mod database;
mod package_manager;
mod repository;
mod version;

pub use package_manager::ApkManager;
pub use repository::ApkRepositories;
