//! The host's own users and groups: read from their files, changed by the tools of the shadow suite alone.

mod database;
mod home;
mod processes;
mod tool;

pub use database::{ACCOUNT_FILES, AccountDatabase, Group, Shadow, User};
pub use home::{is_as_made, make_home, remove_home};
pub use processes::has_processes;
pub use tool::run_tool;
