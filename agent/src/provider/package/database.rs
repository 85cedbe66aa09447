//! The packages that are installed.

use std::collections::HashMap;

/// The packages that are installed, as one pass of reading found them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageDatabase {
    /// By name; a package may be there in several architectures.
    installed: HashMap<String, Vec<Installed>>,
    /// Which installed packages provide a virtual name.
    providers: HashMap<String, Vec<String>>,
    /// The host's own architecture.
    native: String,
}

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its version.
    pub version: String,
    /// Its architecture, or `all`, `noarch`, `any`.
    pub architecture: String,
    /// Whether it is held.
    pub hold: bool,
}

impl PackageDatabase {
    /// The names of what is installed, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.installed.keys().map(String::as_str)
    }

    /// The package of this name: of the host's own architecture, or of the one that follows a colon.
    pub fn get(&self, name: &str) -> Option<&Installed> {
        let (name, architecture) = name.split_once(':').unwrap_or((name, &self.native));
        let fits = |found: &&Installed| {
            found.architecture == architecture || matches!(found.architecture.as_str(), "all" | "noarch" | "any")
        };
        self.installed.get(name)?.iter().find(fits)
    }

    /// The host's own architecture, where packages of this name are installed for another one: managers that are told
    /// the name alone take these for it too.
    pub(in crate::provider) fn architecture_beside(&self, name: &str) -> Option<&str> {
        let is_foreign = |found: &Installed| {
            !matches!(found.architecture.as_str(), "all" | "noarch" | "any") && found.architecture != self.native
        };
        self.installed.get(name)?.iter().any(is_foreign).then_some(self.native.as_str())
    }

    /// The installed packages that provide the virtual package `name`, sorted.
    pub fn providers(&self, name: &str) -> &[String] {
        self.providers.get(name).map_or(&[], Vec::as_slice)
    }

    /// How many packages are installed.
    pub fn len(&self) -> usize {
        self.installed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.installed.is_empty()
    }

    /// Takes a package in. Of several versions side by side, the one that comes last counts.
    pub(in crate::provider) fn add(&mut self, name: String, installed: Installed) {
        let versions = self.installed.entry(name).or_default();
        versions.retain(|other| other.architecture != installed.architecture);
        versions.push(installed);
    }

    /// Takes in that `package` provides `name`.
    pub(in crate::provider) fn add_provider(&mut self, name: &str, package: &str) {
        let providers = self.providers.entry(name.to_owned()).or_default();
        if let Err(place) = providers.binary_search_by(|other| other.as_str().cmp(package)) {
            providers.insert(place, package.to_owned());
        }
    }

    /// Says what the host's own architecture is.
    pub(in crate::provider) fn set_native(&mut self, architecture: String) {
        self.native = architecture;
    }

    /// Marks the packages that are held, by name.
    pub(in crate::provider) fn set_held(&mut self, is_held: impl Fn(&str) -> bool) {
        for (name, versions) in &mut self.installed {
            if is_held(name) {
                versions.iter_mut().for_each(|installed| installed.hold = true);
            }
        }
    }
}
