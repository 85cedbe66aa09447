//! The collections that resources live in.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of resource; the first part of every address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// Directories, by absolute path.
    Directories,
    /// Regular files, by absolute path.
    Files,
    /// Symbolic links, by absolute path.
    Links,
    /// Groups of the account database, by name.
    Groups,
    /// Users of the account database, by name.
    Users,
    /// Packages of the host's package manager, by name.
    Packages,
    /// Services of the host's service manager, by name.
    Services,
    /// Commands with guards, by a free name.
    Commands,
}

impl Collection {
    /// Every collection of this build.
    pub const ALL: [Collection; 8] = [
        Collection::Directories,
        Collection::Files,
        Collection::Links,
        Collection::Groups,
        Collection::Users,
        Collection::Packages,
        Collection::Services,
        Collection::Commands,
    ];

    /// The name used in addresses, documents and messages.
    pub fn name(self) -> &'static str {
        match self {
            Collection::Directories => "directories",
            Collection::Files => "files",
            Collection::Links => "links",
            Collection::Groups => "groups",
            Collection::Users => "users",
            Collection::Packages => "packages",
            Collection::Services => "services",
            Collection::Commands => "commands",
        }
    }

    /// Whether ids of this collection are absolute paths.
    pub fn id_is_path(self) -> bool {
        matches!(self, Collection::Directories | Collection::Files | Collection::Links)
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
