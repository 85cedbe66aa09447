//! Repositories of packages: what each package manager's files say of them, and the programs that fetch their lists.
//!
//! A form is pure: it renders texts and names paths and programs. What is written and run is for the resource.

mod choice;
mod form;
mod key;
mod keyring;
mod repo_file;
#[cfg(test)]
pub(crate) mod test_scenario;
mod url;

pub use choice::{all_forms, choose_form};
pub use form::{Include, Places, Rendered, RepositoryForm};
pub(super) use form::{MARK, given, key_lines};
pub use key::{KeyError, KeyKind, check_key};
pub use keyring::Keyring;
pub(super) use repo_file::{lacks_in_repo_file, places_of_repo_file, render_repo_file};
pub(super) use url::host_of;
