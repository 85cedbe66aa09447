//! Plug-ins of the host.

use super::{ExtensionRead, ExtensionWrite, Thing, not_here};
use crate::resource::{Change, ResourceError, State};
use muster_schema::ExtensionName;
use muster_schema::resource::ExtensionProvider;

/// Plug-ins of the host. This build has none: everything about them is blocked.
#[derive(Debug, Default)]
pub struct Plugins;

impl ExtensionRead for Plugins {
    fn observe(&self, thing: &Thing<'_>) -> Result<State, ResourceError> {
        Err(not_here(&thing.spec.provider))
    }

    fn list(&self, _: ExtensionName, provider: &ExtensionProvider) -> Result<Vec<String>, ResourceError> {
        Err(not_here(provider))
    }
}

impl ExtensionWrite for Plugins {
    fn apply(&self, thing: &Thing<'_>, _: &Change) -> Result<(), ResourceError> {
        Err(not_here(&thing.spec.provider))
    }
}
