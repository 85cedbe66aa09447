//! Whom a path concerns.

use crate::host::HostPath;
use crate::resource::ANY_NAME;
use muster_schema::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The paths whose change may be drift, with the resources that each belongs to.
#[derive(Debug, Default)]
pub(super) struct Owners {
    root: PathBuf,
    paths: BTreeMap<HostPath, Box<[Address]>>,
}

impl Owners {
    pub(super) fn new(root: &Path, paths: BTreeMap<HostPath, BTreeSet<Address>>) -> Owners {
        let paths = paths.into_iter().map(|(path, addresses)| (path, addresses.into_iter().collect())).collect();
        Owners { root: root.to_owned(), paths }
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &HostPath> {
        self.paths.keys()
    }

    /// The resources at a path, those below it, and those that any name in its folder concerns.
    pub(super) fn at(&self, path: &Path) -> Vec<Address> {
        let Some(path) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) else { return Vec::new() };
        let Ok(path) = HostPath::new(&format!("/{}", path.trim_start_matches('/'))) else { return Vec::new() };
        let below = format!("{}/", path.as_str().trim_end_matches('/'));
        let at = self.paths.get(&path).into_iter();
        let children = self
            .paths
            .range(path.clone()..)
            .skip_while(|(other, _)| **other == path)
            .take_while(|(other, _)| other.as_str().starts_with(path.as_str()))
            .filter(|(other, _)| other.as_str().starts_with(&below))
            .map(|(_, addresses)| addresses);
        // A purged directory is told of any name in it.
        let above = std::iter::successors(path.parent(), HostPath::parent);
        let any = above.filter_map(|folder| self.paths.get(&folder.join(ANY_NAME).ok()?));
        at.chain(children).chain(any).flat_map(|addresses| addresses.iter()).cloned().collect()
    }
}
