//! What a transaction is asked to do with one package.

use super::demand::VersionDemand;
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
    /// How it is to come.
    pub options: PackageOptions,
}

/// How a package is to come, where that is not left to the manager's own settings. Packages of one transaction have
/// the same, but for the release.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageOptions {
    /// Nothing comes with it that is only recommended.
    pub no_recommends: bool,
    /// Configuration files that a person changed are replaced by the package's own.
    pub replace_conffiles: bool,
    /// The release of the distribution that it is taken from.
    pub release: Option<String>,
}

/// What is to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageAction {
    /// It is to be there: in such a version, where that is said.
    Install {
        /// Which versions are right.
        version: Option<VersionDemand>,
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
    /// Whether it removes the package.
    pub(in crate::provider) fn removes(&self) -> bool {
        matches!(self.action, PackageAction::Remove { .. })
    }

    /// Whether `told`, a name in the manager's words, is this package. The host's own architecture is left away.
    pub(in crate::provider) fn is_of(&self, told: &str) -> bool {
        self.name.as_str() == told || (self.name.architecture().is_some() && self.name.name() == told)
    }
}
