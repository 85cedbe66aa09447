//! The resources of a manifest, as they are held and as they are to be now.

use crate::ledger::Entry;
use muster_schema::resource::Resource;
use muster_schema::{Address, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The resources as they are to be at `now`, with the exceptions that hold then.
pub fn resources_at(resources: Vec<Resource>, now: Timestamp) -> Vec<Arc<Resource>> {
    resources.into_iter().map(|resource| at(&Arc::new(resource), now)).collect()
}

pub(super) fn at(resource: &Arc<Resource>, now: Timestamp) -> Arc<Resource> {
    match resource.exception {
        None => resource.clone(),
        Some(_) => Arc::new(resource.at(now)),
    }
}

/// Resources of a manifest, in memory once with those that the ledger has: most are as they were last dealt with.
pub(super) fn share(resources: Vec<Resource>, ledger: &BTreeMap<Address, Entry>) -> Vec<Arc<Resource>> {
    let one = |resource: Resource| match ledger.get(&resource.address) {
        Some(entry) if *entry.resource == resource => entry.resource.clone(),
        _ => Arc::new(resource),
    };
    // Not in the place of what was parsed, which has sixty times the room.
    let mut shared = Vec::with_capacity(resources.len());
    shared.extend(resources.into_iter().map(one));
    shared
}
