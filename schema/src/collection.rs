//! The collections that resources live in.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::table::for_each_resource_type;
use crate::resource::*;

macro_rules! define_collection {
    ($($(#[$doc:meta])* $collection:ident $name:literal $variant:ident($spec:ty);)*) => {
        /// A kind of resource; the first part of every address.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Collection {
            $($(#[$doc])* $collection,)*
        }

        impl Collection {
            /// Every collection of this build.
            pub const ALL: [Collection; [$($name),*].len()] = [$(Collection::$collection),*];

            /// The name used in addresses, documents and messages.
            pub fn name(self) -> &'static str {
                match self {
                    $(Collection::$collection => $name,)*
                }
            }

            /// What ids of this collection look like.
            pub fn id_form(self) -> IdForm {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::ID,)*
                }
            }

            /// What resources of the same application it comes after, and before.
            pub fn class(self) -> Option<OrderClass> {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::CLASS,)*
                }
            }

            /// How its resources may react to the change of others.
            pub fn reactions(self) -> Reactions {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::REACTIONS,)*
                }
            }

            /// How documents give contents of its resources.
            pub fn contents(self) -> ContentForm {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::CONTENTS,)*
                }
            }

            /// The paths of the files that its resource of this id is, whole: no other resource has them.
            pub fn paths_of(self, id: &str) -> Vec<String> {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::paths_of(id),)*
                }
            }

            /// Whether its resources own a part of the file that their `path` names.
            pub fn edits_file(self) -> bool {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::EDITS_FILE,)*
                }
            }

            /// Whether the attribute `mode` are permission bits.
            pub fn has_permissions(self) -> bool {
                match self {
                    $(Collection::$collection => <$spec as ResourceSpec>::HAS_PERMISSIONS,)*
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

/// The name is of no collection of this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown collection '{0}'")]
pub struct UnknownCollection(pub String);

impl FromStr for Collection {
    type Err = UnknownCollection;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Collection::ALL
            .into_iter()
            .find(|collection| collection.name() == name)
            .ok_or_else(|| UnknownCollection(name.to_owned()))
    }
}
