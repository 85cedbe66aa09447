//! Whether the resources of a manifest fit together. The orchestrator has checked that; the agent believes nobody.

use super::{Reject, RejectCode};
use crate::host::HostPath;
use crate::plan::{Order, Ordered};
use muster_schema::resource::{Existence, Resource};
use muster_schema::{Address, Collection};
use std::collections::{HashMap, HashSet};

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
    let mut addresses = HashSet::new();
    let mut things = HashMap::new();
    let mut paths: HashMap<HostPath, &Resource> = HashMap::new();
    for resource in resources {
        let address = &resource.address;
        let instead = resource.exception.as_ref().and_then(|exception| exception.variant());
        let mut specs = instead.map(|variant| &variant.spec).into_iter().chain([&resource.spec]);
        if !specs.all(|spec| spec.is_of(address.collection())) {
            return refuse(format!("{address} has the attributes of another type"));
        }
        if !addresses.insert(address) {
            return refuse(format!("{address} stands twice"));
        }
        if let Some(other) = things.insert(address.folded(), address) {
            return refuse(format!("{address} and {other} are the same"));
        }
        for path in resource.paths() {
            let path = HostPath::new(&path)
                .map_err(|error| Reject::new(RejectCode::ManifestResources, format_args!("{address}: {error}")))?;
            if KERNEL_TREES.iter().any(|tree| is_in(path.as_str(), tree)) {
                return refuse(format!("{address} belongs to the kernel"));
            }
            if let Some(other) = paths.insert(path, resource) {
                return refuse(format!("{address} and {} are the same path", other.address));
            }
        }
    }
    check_edited_files(resources, &paths)?;
    let in_a_file = paths.iter().filter_map(|(path, resource)| Some((path, resource, file_on_the_way(path, &paths)?)));
    if let Some((_, resource, other)) = in_a_file.min_by_key(|(path, ..)| *path) {
        return refuse(format!("{} lies in {other}, which is no folder", resource.address));
    }
    for resource in resources {
        let meta = &resource.meta;
        let edges = [&meta.requires, &meta.restart_on, &meta.reload_on, &meta.run_on];
        if let Some(missing) = edges.into_iter().flatten().find(|edge| !addresses.contains(edge)) {
            return refuse(format!("{} needs {missing}, which is not there", resource.address));
        }
    }
    check_order(resources)
}

/// A file belongs either to one resource as a whole, or to others of which some own a part.
fn check_edited_files(resources: &[Resource], paths: &HashMap<HostPath, &Resource>) -> Result<(), Reject> {
    let refuse = |message: String| Err(Reject::new(RejectCode::ManifestResources, message));
    for resource in resources.iter().filter(|resource| resource.address.collection().edits_file()) {
        let address = &resource.address;
        let path = HostPath::new(resource.spec.edited_path().unwrap_or_default())
            .map_err(|error| Reject::new(RejectCode::ManifestResources, format_args!("{address}: {error}")))?;
        if KERNEL_TREES.iter().any(|tree| is_in(path.as_str(), tree)) {
            return refuse(format!("{address} edits what belongs to the kernel"));
        }
        if let Some(other) = paths.get(&path) {
            return refuse(format!("{address} edits {}, which is managed as a whole", other.address));
        }
    }
    Ok(())
}

fn is_in(path: &str, tree: &str) -> bool {
    path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn file_on_the_way<'a>(path: &HostPath, paths: &HashMap<HostPath, &'a Resource>) -> Option<&'a Address> {
    let mut path = path.as_str();
    while let Some((parent, _)) = path.rsplit_once('/') {
        if let Some(above) = paths.get(parent)
            && above.meta.state != Existence::Absent
            && !matches!(above.address.collection(), Collection::Directories | Collection::Links)
        {
            return Some(&above.address);
        }
        path = parent;
    }
    None
}

fn check_order(resources: &[Resource]) -> Result<(), Reject> {
    let targets: Vec<Ordered<'_>> = resources.iter().map(|resource| Ordered { resource, wanted: None }).collect();
    let order = Order::of(&targets);
    order.map(drop).map_err(|error| Reject::new(RejectCode::ManifestResources, error))
}
