//! Command resources of DSC v3: programs that a manifest `*.dsc.resource.json` describes.
//!
//! The program `dsc` itself is not needed: what it does between a configuration and a command resource is done here.

mod call;
mod catalogue;
mod compare;
mod instance;
mod manifest;
#[cfg(test)]
mod tests;

use super::{ExtensionRead, ExtensionWrite, Thing, not_here};
use crate::host::{HostPath, HostRead, RealHost};
use crate::resource::{Change, REMOVABLE, ResourceError, State, json_of, load_attributes};
use catalogue::Found;
use instance::Instance;
use muster_schema::ExtensionName;
use muster_schema::resource::{Existence, ExtensionProvider};
use std::borrow::Cow;
use std::path::Path;

/// Where manifests are looked for where nothing is said.
pub const DEFAULT_FOLDERS: [&str; 2] = ["/usr/lib/muster/dsc", "/usr/local/lib/muster/dsc"];

/// The command resources of this host.
#[derive(Debug, Clone)]
pub struct DscResources {
    folders: Vec<HostPath>,
}

impl Default for DscResources {
    fn default() -> DscResources {
        DscResources::new(DEFAULT_FOLDERS.into_iter().filter_map(|folder| HostPath::new(folder).ok()).collect())
    }
}

impl DscResources {
    /// Those with manifests in these folders.
    pub fn new(folders: Vec<HostPath>) -> DscResources {
        DscResources { folders }
    }

    fn find(&self, provider: &ExtensionProvider, host: &dyn HostRead) -> Result<Found, ResourceError> {
        let ExtensionProvider::Dsc(resource_type) = provider else { return Err(not_here(provider)) };
        catalogue::find(host.reader().as_mut(), &self.folders, resource_type).map_err(ResourceError::Blocked)
    }
}

fn instance<'a>(found: &'a Found, thing: &Thing<'a>) -> Instance<'a> {
    Instance {
        found,
        id: thing.id,
        id_argument: thing.spec.id_argument.as_deref(),
        attributes: &thing.spec.attributes,
        timeout: thing.timeout,
    }
}

impl ExtensionRead for DscResources {
    fn observe(&self, thing: &Thing<'_>) -> Result<State, ResourceError> {
        let host = RealHost::open(Path::new("/"))?;
        let found = self.find(&thing.spec.provider, &host)?;
        let is_to_exist = thing.existence != Existence::Absent;
        let Some(there) = instance(&found, thing).observe(is_to_exist, &host)? else { return Ok(State::Absent) };
        let mut attributes = load_attributes(&there);
        if !found.manifest.can_remove() {
            attributes.insert(Cow::Borrowed(REMOVABLE), false.into());
        }
        Ok(State::Present(attributes))
    }

    fn list(&self, _: ExtensionName, provider: &ExtensionProvider) -> Result<Vec<String>, ResourceError> {
        Err(ResourceError::Failed(format!(
            "{provider} does not say which of its properties is the id, so nothing is listed"
        )))
    }
}

impl ExtensionWrite for DscResources {
    fn apply(&self, thing: &Thing<'_>, change: &Change) -> Result<(), ResourceError> {
        let host = RealHost::open(Path::new("/"))?;
        let found = self.find(&thing.spec.provider, &host)?;
        let instance = instance(&found, thing);
        match &change.after {
            State::Absent => instance.remove(&host),
            State::Present(attributes) => instance.set(&json_of(attributes), &host),
        }
    }
}
