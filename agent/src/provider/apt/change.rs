//! What a transaction is asked to do with one package.

use super::name::PackageName;

/// A change of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChange {
    /// The package.
    pub name: PackageName,
    /// What is to happen with it.
    pub action: PackageAction,
    /// Whether its version may go down.
    pub allow_downgrade: bool,
    /// Whether it may change although it is held.
    pub allow_held: bool,
}

/// What is to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageAction {
    /// It is to be there: in this version, or one of this prefix, where one is named.
    Install {
        /// `1.22.1-9`, or `1.22*`.
        version: Option<String>,
    },
    /// It is to be there in the newest version to be had.
    Upgrade,
    /// It is to go; its configuration stays. With it go those of `brought` that nothing else needs.
    Remove {
        /// Packages that came with it.
        brought: Vec<String>,
    },
}

impl PackageChange {
    /// The word that says it to `apt-get install`.
    pub(super) fn word(&self) -> String {
        match &self.action {
            PackageAction::Install { version: Some(version) } => format!("{}={version}", self.name),
            PackageAction::Install { version: None } | PackageAction::Upgrade => self.name.to_string(),
            PackageAction::Remove { .. } => format!("{}-", self.name),
        }
    }

    /// Whether it removes the package.
    pub(super) fn removes(&self) -> bool {
        matches!(self.action, PackageAction::Remove { .. })
    }

    /// Whether `told`, a name in apt's words, is this package. apt leaves the host's own architecture away.
    pub(super) fn is_of(&self, told: &str) -> bool {
        let own = self.name.as_str();
        own == told || own.split_once(':').is_some_and(|(name, _)| name == told)
    }
}
