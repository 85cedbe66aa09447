//! Resources: what a manifest says that a host is to have.
//!
//! The envelope ([`Resource`]) is parsed first, the attributes then by the
//! address's collection, so that an error names its attribute.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::Address;
use crate::collection::Collection;
use crate::content::BlobRef;

mod command;
mod directory;
mod file;
mod group;
mod link;
mod meta;
mod package;
mod service;
mod user;

#[cfg(test)]
mod tests;

pub use command::{CommandSpec, UndoSpec};
pub use directory::DirectorySpec;
pub use file::FileSpec;
pub use group::GroupSpec;
pub use link::LinkSpec;
pub use meta::{Enforcement, Existence, Meta, OnRemove};
pub use package::PackageSpec;
pub use service::ServiceSpec;
pub use user::{Membership, UserSpec};

/// One resource of a host set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name.
    pub address: Address,
    /// The application instance that it comes from; none for a resource of a layer.
    pub application: Option<String>,
    /// What every resource has.
    pub meta: Meta,
    /// The attributes of its type.
    pub spec: Spec,
}

/// The attributes of a resource, by collection. An attribute that is `None` is unmanaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Spec {
    /// Of `directories/…`.
    Directory(DirectorySpec),
    /// Of `files/…`.
    File(FileSpec),
    /// Of `links/…`.
    Link(LinkSpec),
    /// Of `groups/…`.
    Group(GroupSpec),
    /// Of `users/…`.
    User(UserSpec),
    /// Of `packages/…`.
    Package(PackageSpec),
    /// Of `services/…`.
    Service(ServiceSpec),
    /// Of `commands/…`.
    Command(Box<CommandSpec>),
}

impl Spec {
    /// Reads the attributes of a resource of `collection`.
    ///
    /// # Errors
    /// When an attribute is unknown, or of another type.
    pub fn from_json(collection: Collection, attributes: serde_json::Value) -> Result<Self, serde_json::Error> {
        Spec::deserialize_as(collection, attributes)
    }

    /// Reads the attributes of a resource of `collection` from any form.
    ///
    /// # Errors
    /// When an attribute is unknown, or of another type.
    pub fn deserialize_as<'de, D: Deserializer<'de>>(collection: Collection, attributes: D) -> Result<Self, D::Error> {
        Ok(match collection {
            Collection::Directories => Spec::Directory(Deserialize::deserialize(attributes)?),
            Collection::Files => Spec::File(Deserialize::deserialize(attributes)?),
            Collection::Links => Spec::Link(Deserialize::deserialize(attributes)?),
            Collection::Groups => Spec::Group(Deserialize::deserialize(attributes)?),
            Collection::Users => Spec::User(Deserialize::deserialize(attributes)?),
            Collection::Packages => Spec::Package(Deserialize::deserialize(attributes)?),
            Collection::Services => Spec::Service(Deserialize::deserialize(attributes)?),
            Collection::Commands => Spec::Command(Deserialize::deserialize(attributes)?),
        })
    }

    /// The collection that these attributes belong to.
    pub fn collection(&self) -> Collection {
        match self {
            Spec::Directory(_) => Collection::Directories,
            Spec::File(_) => Collection::Files,
            Spec::Link(_) => Collection::Links,
            Spec::Group(_) => Collection::Groups,
            Spec::User(_) => Collection::Users,
            Spec::Package(_) => Collection::Packages,
            Spec::Service(_) => Collection::Services,
            Spec::Command(_) => Collection::Commands,
        }
    }

    /// The blobs that the agent needs for these attributes.
    pub fn blobs(&self) -> Vec<BlobRef> {
        match self {
            Spec::File(file) => file.content.into_iter().collect(),
            Spec::Command(command) => {
                let undo = command.undo.as_ref();
                [command.script, command.stdin, undo.and_then(|undo| undo.script)].into_iter().flatten().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The wire form of [`Resource`], its attributes not yet read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    address: Address,
    #[serde(default)]
    application: Option<String>,
    #[serde(default)]
    meta: Meta,
    #[serde(default)]
    attributes: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct EnvelopeRef<'a> {
    address: &'a Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: &'a Option<String>,
    #[serde(skip_serializing_if = "Meta::is_default")]
    meta: &'a Meta,
    attributes: &'a Spec,
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Resource { address, application, meta, spec } = self;
        EnvelopeRef { address, application, meta, attributes: spec }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Envelope { address, application, meta, attributes } = Envelope::deserialize(deserializer)?;
        let spec = Spec::from_json(address.collection(), attributes.into())
            .map_err(|source| serde::de::Error::custom(format_args!("{address}: {source}")))?;
        Ok(Resource { address, application, meta, spec })
    }
}
