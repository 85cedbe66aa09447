//! Modules of Ansible.

use super::{ExtensionRead, ExtensionWrite, Thing, not_here};
use crate::resource::{Change, ResourceError, State};
use muster_schema::ExtensionName;
use muster_schema::resource::ExtensionProvider;

/// Modules of Ansible. This build has none: everything about them is blocked.
#[derive(Debug, Default)]
pub struct AnsibleModules;

impl ExtensionRead for AnsibleModules {
    fn observe(&self, thing: &Thing<'_>) -> Result<State, ResourceError> {
        Err(not_here(&thing.spec.provider))
    }

    fn list(&self, _: ExtensionName, provider: &ExtensionProvider) -> Result<Vec<String>, ResourceError> {
        Err(not_here(provider))
    }
}

impl ExtensionWrite for AnsibleModules {
    fn apply(&self, thing: &Thing<'_>, _: &Change) -> Result<(), ResourceError> {
        Err(not_here(&thing.spec.provider))
    }
}
