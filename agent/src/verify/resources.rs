//! Whether the resources of a manifest fit together. The orchestrator has checked that; the agent believes nobody.

use super::{Reject, RejectCode};
use crate::host::HostPath;
use crate::plan::{Order, Ordered};
use muster_schema::resource::{Existence, Resource};
use muster_schema::{Address, Collection};
use std::collections::HashMap;

#[cfg(test)]
mod tests;

/// Trees that belong to the kernel.
const KERNEL_TREES: [&str; 3] = ["/proc", "/sys", "/dev"];

/// Checks addresses, paths and edges before anything is written.
///
/// # Errors
/// `ManifestResources`, naming the first contradiction.
pub fn check_resources(resources: &[Resource]) -> Result<(), Reject> {
    let refuse = |message: String| Err(Reject::new(RejectCode::ManifestResources, message));
    let mut things: HashMap<Address, &Address> = HashMap::with_capacity(resources.len());
    let mut paths: Vec<(HostPath, &Resource)> = Vec::with_capacity(resources.len());
    for resource in resources {
        let address = &resource.address;
        let instead = resource.exception.as_ref().and_then(|exception| exception.variant());
        let mut specs = instead.map(|variant| &variant.spec).into_iter().chain([&resource.spec]);
        if !specs.all(|spec| spec.is_of(address.collection())) {
            return refuse(format!("{address} has the attributes of another type"));
        }
        match things.insert(address.folded(), address) {
            Some(other) if other == address => return refuse(format!("{address} stands twice")),
            Some(other) => return refuse(format!("{address} and {other} are the same")),
            None => {}
        }
        for path in resource.paths() {
            let path = HostPath::try_from(path)
                .map_err(|error| Reject::new(RejectCode::ManifestResources, format_args!("{address}: {error}")))?;
            if KERNEL_TREES.iter().any(|tree| is_in(path.as_str(), tree)) {
                return refuse(format!("{address} belongs to the kernel"));
            }
            paths.push((path, resource));
        }
    }
    let paths = Paths::of(paths);
    check_paths(&paths)?;
    check_edited_files(resources, &paths)?;
    let is_there = |edge: &Address| things.get(&edge.folded()) == Some(&edge);
    for resource in resources {
        let meta = &resource.meta;
        let edges = [&meta.requires, &meta.restart_on, &meta.reload_on, &meta.run_on];
        if let Some(missing) = edges.into_iter().flatten().find(|edge| !is_there(edge)) {
            return refuse(format!("{} needs {missing}, which is not there", resource.address));
        }
    }
    check_order(resources)
}

/// Paths and whose they are, sorted.
struct Paths<'a>(Vec<(HostPath, &'a Resource)>);

impl<'a> Paths<'a> {
    fn of(mut paths: Vec<(HostPath, &'a Resource)>) -> Paths<'a> {
        paths.sort_by(|(one, _), (other, _)| one.cmp(other));
        Paths(paths)
    }

    fn get(&self, path: &str) -> Option<&'a Resource> {
        let at = self.0.binary_search_by(|(one, _)| one.as_str().cmp(path)).ok()?;
        self.0.get(at).map(|(_, resource)| *resource)
    }

    /// What is no folder and stands above a path.
    fn file_above(&self, mut path: &str) -> Option<&'a Address> {
        while let Some((parent, _)) = path.rsplit_once('/') {
            if let Some(above) = self.get(parent)
                && above.meta.state != Existence::Absent
                && !matches!(above.address.collection(), Collection::Directories | Collection::Links)
            {
                return Some(&above.address);
            }
            path = parent;
        }
        None
    }
}

/// A path belongs to one resource, and what is above it is a folder.
fn check_paths(paths: &Paths<'_>) -> Result<(), Reject> {
    let refuse = |message: String| Err(Reject::new(RejectCode::ManifestResources, message));
    let mut before: Option<&(HostPath, &Resource)> = None;
    for one in &paths.0 {
        let (path, Resource { address, .. }) = one;
        if let Some((_, other)) = before.filter(|(other, _)| other == path) {
            return refuse(format!("{address} and {} are the same path", other.address));
        }
        // What is above is that of its neighbour, mostly.
        let is_seen = before.is_some_and(|(other, _)| other.folder() == path.folder());
        if let Some(other) = Some(path.as_str()).filter(|_| !is_seen).and_then(|path| paths.file_above(path)) {
            return refuse(format!("{address} lies in {other}, which is no folder"));
        }
        before = Some(one);
    }
    Ok(())
}

/// A file belongs either to one resource as a whole, or to others of which some own a part.
fn check_edited_files(resources: &[Resource], paths: &Paths<'_>) -> Result<(), Reject> {
    let refuse = |message: String| Err(Reject::new(RejectCode::ManifestResources, message));
    for resource in resources.iter().filter(|resource| resource.address.collection().edits_file()) {
        let address = &resource.address;
        let path = HostPath::new(resource.spec.edited_path().unwrap_or_default())
            .map_err(|error| Reject::new(RejectCode::ManifestResources, format_args!("{address}: {error}")))?;
        if KERNEL_TREES.iter().any(|tree| is_in(path.as_str(), tree)) {
            return refuse(format!("{address} edits what belongs to the kernel"));
        }
        if let Some(other) = paths.get(path.as_str()) {
            return refuse(format!("{address} edits {}, which is managed as a whole", other.address));
        }
    }
    Ok(())
}

fn is_in(path: &str, tree: &str) -> bool {
    path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn check_order(resources: &[Resource]) -> Result<(), Reject> {
    let targets: Vec<Ordered<'_>> = resources.iter().map(|resource| Ordered { resource, wanted: None }).collect();
    let order = Order::of(&targets);
    order.map(drop).map_err(|error| Reject::new(RejectCode::ManifestResources, error))
}
