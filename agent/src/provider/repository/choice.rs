//! Which form the host's package manager takes.

use super::RepositoryForm;
use crate::host::Reader;
use crate::provider::apk::ApkRepositories;
use crate::provider::apt::AptRepositories;
use crate::provider::dnf::DnfRepositories;
use crate::provider::package::{NoManager, choose_manager};
use crate::provider::pacman::PacmanRepositories;
use crate::provider::zypper::ZypperRepositories;

/// Every form that is known.
pub fn all_forms() -> [&'static dyn RepositoryForm; 5] {
    [&AptRepositories, &DnfRepositories, &ZypperRepositories, &ApkRepositories, &PacmanRepositories]
}

/// The form of the host's package manager.
///
/// # Errors
/// When the host has no manager that is known, or cannot be read.
pub fn choose_form(reader: &mut dyn Reader) -> Result<&'static dyn RepositoryForm, NoManager> {
    let name = choose_manager(reader)?.name();
    all_forms().into_iter().find(|form| form.manager().name() == name).ok_or(NoManager::None)
}
