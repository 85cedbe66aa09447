//! The collections that resources live in.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::IdForm;
use crate::extension_name::ExtensionName;
use crate::resource::table::for_each_resource_type;
use crate::resource::*;

macro_rules! define_collection {
    ($($(#[$doc:meta])* $collection:ident $name:literal $variant:ident($spec:ty);)*) => {
        /// A kind of resource; the first part of every address.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Collection {
            $($(#[$doc])* $collection,)*
            /// What a state repository declares, and a plug-in or an adapter provides.
            Extension(ExtensionName),
        }

        impl Collection {
            /// Every collection that is built in.
            pub const ALL: [Collection; [$($name),*].len()] = [$(Collection::$collection),*];

            /// The name used in addresses, documents and messages.
            pub fn name(&self) -> &str {
                match self {
                    $(Collection::$collection => $name,)*
                    Collection::Extension(name) => name.as_str(),
                }
            }

            /// The names of all that are built in.
            pub fn names() -> impl Iterator<Item = &'static str> {
                [$($name),*].into_iter()
            }

            /// What ids of this collection look like.
            pub fn id_form(self) -> IdForm {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::ID,)*
                    Collection::Extension(_) => IdForm::Extension,
                }
            }

            /// What resources of the same application it comes after, and before. Of what is declared, the declaration
            /// says.
            pub fn class(self) -> Option<OrderClass> {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::CLASS,)*
                    Collection::Extension(_) => None,
                }
            }

            /// How its resources may react to the change of others.
            pub fn reactions(self) -> Reactions {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::REACTIONS,)*
                    Collection::Extension(_) => Reactions::None,
                }
            }

            /// How documents give contents of its resources.
            pub fn contents(self) -> ContentForm {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::CONTENTS,)*
                    Collection::Extension(_) => ContentForm::None,
                }
            }

            /// The paths of the files that its resource of this id is, whole: no other resource has them.
            pub fn paths_of(self, id: &str) -> Vec<String> {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::paths_of(id),)*
                    Collection::Extension(_) => Vec::new(),
                }
            }

            /// Which attribute says where its resources stand, where the id does not.
            pub fn own_path(self) -> OwnPath {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::OWN_PATH,)*
                    Collection::Extension(_) => OwnPath::None,
                }
            }

            /// Which further attributes name a file that is a resource's, whole.
            pub fn further_paths(self) -> &'static [&'static str] {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::FURTHER_PATHS,)*
                    Collection::Extension(_) => &[],
                }
            }

            /// Whether its resources own a part of the file that their `path` names.
            pub fn edits_file(self) -> bool {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::EDITS_FILE,)*
                    Collection::Extension(_) => false,
                }
            }

            /// The slots of contents that may have secrets in them.
            pub fn secret_slots(self) -> &'static [&'static str] {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::SECRET_SLOTS,)*
                    Collection::Extension(_) => &[],
                }
            }

            /// The attributes that are a text and may have secrets in it; `env.*` are all texts of the map `env`.
            pub fn secret_texts(self) -> &'static [&'static str] {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::SECRET_TEXTS,)*
                    Collection::Extension(_) => &[],
                }
            }

            /// Whether the attribute `mode` are permission bits.
            pub fn has_permissions(self) -> bool {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::HAS_PERMISSIONS,)*
                    Collection::Extension(_) => false,
                }
            }
        }
    };
}
for_each_resource_type!(define_collection);

impl Collection {
    /// Whether ids of this collection are absolute paths.
    pub fn id_is_path(self) -> bool {
        matches!(self.id_form(), IdForm::Path | IdForm::MountPoint)
    }

    /// The name, of one that is declared.
    pub fn extension(self) -> Option<ExtensionName> {
        match self {
            Collection::Extension(name) => Some(name),
            _ => None,
        }
    }

    /// Whether a resource of this collection is what stands at the path that is its id.
    pub fn occupies_path(self) -> bool {
        self.id_form() == IdForm::Path
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name can be of no collection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown collection '{0}'")]
pub struct UnknownCollection(pub String);

/// One that is not built in is taken for a declared one: who knows the declarations checks that.
impl FromStr for Collection {
    type Err = UnknownCollection;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let built_in = Collection::ALL.into_iter().find(|collection| collection.name() == name);
        let declared = || ExtensionName::new(name).ok().map(Collection::Extension);
        built_in.or_else(declared).ok_or_else(|| UnknownCollection(name.to_owned()))
    }
}

impl Serialize for Collection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Collection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::deserialize(deserializer)
    }
}

impl JsonSchema for Collection {
    fn schema_name() -> Cow<'static, str> {
        "Collection".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let built_in: Vec<&str> = Collection::names().collect();
        json_schema!({
            "description": "A kind of resource; the first part of every address.",
            "anyOf": [
                {"type": "string", "enum": built_in},
                {
                    "type": "string",
                    "pattern": "^[a-z][a-z0-9_]{0,30}$",
                    "description": "What a state repository declares, and a plug-in or an adapter provides.",
                },
            ],
        })
    }
}
