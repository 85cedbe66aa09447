//! Resources: what a manifest says that a host is to have.
//!
//! The envelope ([`Resource`]) is parsed first, the attributes then by the
//! address's collection, so that an error names its attribute.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::address::Address;
use crate::collection::Collection;
use crate::content::BlobRef;
use crate::digest::Sha256Digest;
use crate::secret::SecretContent;
use crate::timestamp::Timestamp;

mod acl;
mod archive;
mod authorized_keys;
mod block;
mod certificate;
mod check;
mod checkout;
mod command;
mod container;
mod cron;
mod directory;
mod download;
mod exception;
mod extension;
mod file;
mod firewall;
mod group;
mod hostname;
mod hosts;
mod kernel_modules;
mod line;
mod link;
mod locale;
mod meta;
mod mounts;
mod package;
mod reboot;
mod repositories;
mod resource_type;
mod scalar;
mod service;
mod settings_file;
mod sudo_rules;
mod sysctls;
pub(crate) mod table;
mod timer;
mod timezone;
mod transfer_url;
mod unit;
mod user;
mod wire;

#[cfg(test)]
mod tests;

pub use acl::{AclEntry, AclWho, BadAclEntry};
pub use archive::ArchiveSpec;
pub use authorized_keys::{AuthorizedKey, AuthorizedKeyParts, AuthorizedKeysSpec, entry_of};
pub use block::BlockSpec;
pub use certificate::{CertificateSpec, KeyType};
pub use check::{CheckSpec, DiskProbe, HttpProbe, Severity};
pub use checkout::CheckoutSpec;
pub use command::{CommandSpec, UndoSpec};
pub use container::{ContainerRestart, ContainerSpec};
pub use cron::CronSpec;
pub use directory::DirectorySpec;
pub use download::DownloadSpec;
pub use exception::{Exception, Held, Variant};
pub use extension::{ExtensionProvider, ExtensionSpec, PLUGIN_NAME_BYTES};
pub use file::FileSpec;
pub use firewall::{FirewallAction, FirewallPolicy, FirewallProtocol, FirewallSpec};
pub use group::GroupSpec;
pub use hostname::HostnameSpec;
pub use hosts::HostEntrySpec;
pub use kernel_modules::KernelModuleSpec;
pub use line::{LineSpec, Position};
pub use link::LinkSpec;
pub use locale::{LOCALE_VARIABLES, LocaleSpec};
pub use meta::{Enforcement, Existence, Meta, OnRemove};
pub use mounts::MountSpec;
pub use package::{Conffiles, PackageSpec};
pub use reboot::{Day, RebootSpec, RebootWindow};
pub use repositories::{RepositorySpec, Verify};
pub use resource_type::{ContentForm, NamedAccounts, OrderClass, OwnPath, Reactions, ResourceSpec};
pub use scalar::Scalar;
pub use service::ServiceSpec;
pub use settings_file::{SettingKey, SettingValue, SettingsFileSpec, SettingsFormat};
pub use sudo_rules::{SudoRuleSpec, SudoTag};
pub use sysctls::SysctlSpec;
pub use timer::TimerSpec;
pub use timezone::TimezoneSpec;
pub use unit::{OnChange, UnitSpec};
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
    /// What holds instead for a limited time.
    pub exception: Option<Exception>,
}

impl Resource {
    /// The resource as it is to be at `now`: with the attributes of an exception that still holds, and with a waiver
    /// only while it does.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Resource {
        let Some(exception) = self.exception.as_ref().filter(|exception| now < exception.until) else {
            return Resource { exception: None, ..self.clone() };
        };
        match exception.variant() {
            None => self.clone(),
            Some(variant) => Resource {
                meta: Meta { state: variant.state, ..self.meta.clone() },
                spec: variant.spec.clone(),
                exception: None,
                ..self.clone()
            },
        }
    }

    /// The paths that it stands for, whole: no other resource has them.
    pub fn paths(&self) -> Vec<String> {
        let own = self.spec.own_path().filter(|_| matches!(self.address.collection().own_path(), OwnPath::Whole(_)));
        let further = self.spec.further_paths();
        self.address.paths().into_iter().chain(own.into_iter().chain(further).map(str::to_owned)).collect()
    }

    /// Whether both are about the same thing, under names of their own.
    pub fn has_place_of(&self, other: &Resource) -> bool {
        let place = self.spec.place();
        place.is_some() && self.address.collection() == other.address.collection() && place == other.spec.place()
    }

    /// Its contents with secrets in them, now and when its exception has ended.
    pub fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        let meanwhile = self.exception.iter_mut().filter_map(Exception::variant_mut);
        self.spec.secret_contents().into_iter().chain(meanwhile.flat_map(|one| one.spec.secret_contents())).collect()
    }

    /// The keyed digests of its contents with secrets in them, as far as they were read.
    pub fn filled_contents(&self) -> impl Iterator<Item = Sha256Digest> + '_ {
        let meanwhile = self.exception.iter().filter_map(Exception::variant);
        let specs = std::iter::once(&self.spec).chain(meanwhile.map(|one| &one.spec));
        specs.flat_map(Spec::filled_contents)
    }

    /// The blobs that the agent needs for it, now and when its exception has ended.
    pub fn blobs(&self) -> Vec<BlobRef> {
        let mut blobs = self.spec.blobs();
        blobs.extend(self.exception.iter().filter_map(Exception::variant).flat_map(|variant| variant.spec.blobs()));
        blobs
    }
}

macro_rules! define_spec {
    ($($(#[$doc:meta])* $collection:ident $name:literal $variant:ident($spec:ty);)*) => {
        /// The attributes of a resource, by collection. An attribute that is `None` is unmanaged.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Spec {
            $($(#[$doc])* $variant($spec),)*
            /// What a plug-in or an adapter provides.
            Extension(Box<ExtensionSpec>),
        }

        impl Spec {
            /// Reads the attributes of a resource of `collection` from any form.
            ///
            /// # Errors
            /// When an attribute is unknown, or of another type.
            pub fn deserialize_as<'de, D: Deserializer<'de>>(
                collection: Collection,
                attributes: D,
            ) -> Result<Self, D::Error> {
                Ok(match collection {
                    $(Collection::$collection => Spec::$variant(Deserialize::deserialize(attributes)?),)*
                    Collection::Extension(_) => Spec::Extension(Deserialize::deserialize(attributes)?),
                })
            }

            /// Attributes that ask for nothing; `None` of a collection that is declared.
            pub fn empty(collection: Collection) -> Option<Self> {
                match collection {
                    $(Collection::$collection => Some(Spec::$variant(Default::default())),)*
                    Collection::Extension(_) => None,
                }
            }

            /// Whether these attributes are those of a collection.
            pub fn is_of(&self, collection: Collection) -> bool {
                match self {
                    $(Spec::$variant(_) => collection == Collection::$collection,)*
                    Spec::Extension(spec) => collection == Collection::Extension(spec.collection),
                }
            }

            /// What resources of the same application it comes after, and before.
            pub fn class(&self) -> Option<OrderClass> {
                match self {
                    $(Spec::$variant(_) => Collection::$collection.class(),)*
                    Spec::Extension(spec) => spec.order,
                }
            }

            /// The blobs of the contents that it names, by slot.
            pub fn contents(&self) -> Vec<(&'static str, BlobRef)> {
                match self {
                    $(Spec::$variant(spec) => spec.contents(),)*
                    Spec::Extension(_) => Vec::new(),
                }
            }

            /// Takes the content of a slot.
            pub fn set_content(&mut self, slot: &str, content: BlobRef) {
                match self {
                    $(Spec::$variant(spec) => spec.set_content(slot, content),)*
                    Spec::Extension(_) => {},
                }
            }

            /// Takes the content of a slot, or a text, that may have secrets in it.
            pub fn set_secret_content(&mut self, slot: &str, content: SecretContent) {
                match self {
                    $(Spec::$variant(spec) => spec.set_secret_content(slot, content),)*
                    Spec::Extension(_) => {},
                }
            }

            /// Its contents with secrets in them.
            pub fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
                match self {
                    $(Spec::$variant(spec) => spec.secret_contents(),)*
                    Spec::Extension(_) => Vec::new(),
                }
            }

            /// Its contents and texts with secrets in them, each with its slot.
            pub fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
                match self {
                    $(Spec::$variant(spec) => spec.secrets(),)*
                    Spec::Extension(_) => Vec::new(),
                }
            }

            /// The accounts that it needs: they are made before it.
            pub fn accounts(&self) -> NamedAccounts<'_> {
                match self {
                    $(Spec::$variant(spec) => spec.accounts(),)*
                    Spec::Extension(_) => NamedAccounts::default(),
                }
            }

            /// The file of which it owns a part and no more.
            pub fn edited_path(&self) -> Option<&str> {
                match self {
                    $(Spec::$variant(spec) => spec.edited_path(),)*
                    Spec::Extension(_) => None,
                }
            }

            /// Where it stands, where the id does not say it.
            pub fn own_path(&self) -> Option<&str> {
                match self {
                    $(Spec::$variant(spec) => spec.own_path(),)*
                    Spec::Extension(_) => None,
                }
            }

            /// Further files that are the thing's, whole.
            pub fn further_paths(&self) -> Vec<&str> {
                match self {
                    $(Spec::$variant(spec) => spec.further_paths(),)*
                    Spec::Extension(_) => Vec::new(),
                }
            }

            /// What it is about, where its id is a free name.
            pub fn place(&self) -> Option<String> {
                match self {
                    $(Spec::$variant(spec) => spec.place(),)*
                    Spec::Extension(spec) => Some(spec.place()),
                }
            }

            /// What fits the types and still makes no sense, as the end of a sentence that begins with the address.
            pub fn contradiction(&self, meta: &Meta) -> Option<String> {
                match self {
                    $(Spec::$variant(spec) => spec.contradiction(meta),)*
                    Spec::Extension(spec) => spec.contradiction(),
                }
            }
        }

        /// The JSON Schema of the attributes of a collection, as they stand in a manifest.
        pub(crate) fn spec_schema(collection: Collection) -> serde_json::Value {
            match collection {
                $(Collection::$collection => crate::document::attributes::schema_of::<$spec>(),)*
                // Its declaration says.
                Collection::Extension(_) => serde_json::json!({"type": "object"}),
            }
        }
    };
}
table::for_each_resource_type!(define_spec);

impl Spec {
    /// Reads the attributes of a resource of `collection`.
    ///
    /// # Errors
    /// When an attribute is unknown, or of another type.
    pub fn from_json(collection: Collection, attributes: serde_json::Value) -> Result<Self, serde_json::Error> {
        Spec::deserialize_as(collection, attributes)
    }

    /// The blobs that the agent needs for these attributes.
    pub fn blobs(&self) -> Vec<BlobRef> {
        let of_secrets = self.secrets().into_iter().flat_map(|(_, content)| content.blobs());
        self.contents().into_iter().map(|(_, blob)| blob).chain(of_secrets).collect()
    }

    /// The keyed digests of its contents and texts with secrets in them, as far as they were read.
    pub fn filled_contents(&self) -> Vec<Sha256Digest> {
        self.secrets().into_iter().filter_map(|(_, content)| content.filled).collect()
    }
}
