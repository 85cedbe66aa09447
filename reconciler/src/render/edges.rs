//! Edges: addresses, globs and `applications/…` become addresses of the same host set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_schema::{Address, Collection};

use super::placed::Placed;
use super::rendering::Rendering;
use super::unite::HostSet;
use crate::model::{Entry, Finding, Node, did_you_mean};

/// Attributes that hold edges.
pub(super) const EDGE_ATTRIBUTES: [&str; 4] = ["reload_on", "requires", "restart_on", "run_on"];

/// The edges of a resource by attribute.
pub(super) type Edges = BTreeMap<&'static str, BTreeSet<Address>>;

/// Resolves the edges of all resources. An edge to what is not in the host set is a finding, unless `when`
/// took it away in the same application.
pub(super) fn resolve_edges(rendering: &Rendering, host_set: &HostSet) -> BTreeMap<Address, Edges> {
    let all_tainted = host_set.resources.values().any(|placed| placed.tainted);
    let mut resolved = BTreeMap::new();
    for placed in host_set.resources.values() {
        let mut edges = Edges::new();
        for attribute in EDGE_ATTRIBUTES {
            let Some(entry) = placed.map().and_then(|map| map.entry(attribute)) else { continue };
            let mut targets = BTreeSet::new();
            for node in targets_of(entry) {
                match resolve(node, placed, host_set, rendering) {
                    Ok(found) => targets.extend(found),
                    Err(finding) => {
                        // Whether a target is there may depend on facts elsewhere.
                        let scope = rendering.scope_of(all_tainted);
                        rendering.record().find(finding.with_scope(scope));
                    }
                }
            }
            targets.remove(&placed.address);
            if !targets.is_empty() {
                edges.insert(attribute, targets);
            }
        }
        resolved.insert(placed.address.clone(), edges);
    }
    resolved
}

/// The items of a list that are strings; another form is a finding of the attributes' own check.
fn targets_of(entry: &Entry) -> impl Iterator<Item = &Node> {
    entry.value.as_list().into_iter().flatten().filter(|node| node.as_str().is_some())
}

fn resolve(node: &Node, of: &Placed, host_set: &HostSet, rendering: &Rendering) -> Result<Vec<Address>, Finding> {
    let text = node.as_str().unwrap_or_default();
    let fault = |reason: String| Finding::new(node.place.clone(), reason);
    if let Some(instance) = text.strip_prefix("applications/") {
        if !rendering.instances.contains_key(instance) {
            let finding = fault(format!("the host has no application '{instance}'"));
            return Err(with_hint(finding, did_you_mean(instance, rendering.instances.keys().map(AsRef::as_ref))));
        }
        let members = host_set.resources.values();
        let members = members.filter(|placed| placed.instance.as_deref() == Some(instance));
        return Ok(members.map(|placed| placed.address.clone()).collect());
    }
    if text.contains(['*', '?', '[', '{']) {
        let glob = rendering.model.glob(text).map_err(|error| fault(format!("'{text}' is no glob: {error}")))?;
        let collection = text.split('/').next().and_then(|name| name.parse::<Collection>().ok());
        let candidates =
            host_set.resources.keys().filter(|address| collection.is_none_or(|c| c == address.collection()));
        return Ok(candidates.filter(|address| glob.is_match(address.to_string())).cloned().collect());
    }
    let extensions = rendering.model.extensions();
    let address = extensions.load_address(text).map_err(|error| {
        let known = Collection::names();
        let collection = text.split('/').next().unwrap_or_default();
        with_hint(
            fault(error.to_string()),
            did_you_mean(collection, known).filter(|_| collection.parse::<Collection>().is_err()),
        )
    })?;
    if let Some(finding) = extensions.unknown(address.collection(), &node.place) {
        return Err(finding);
    }
    let address = plain_service(address);
    if host_set.resources.contains_key(&address) {
        return Ok(vec![address]);
    }
    let vanished =
        |instance: &Option<Arc<str>>| host_set.absent.get(instance).is_some_and(|set| set.contains(&address));
    if vanished(&of.instance) {
        return Ok(Vec::new());
    }
    let elsewhere = host_set.absent.keys().any(vanished);
    if elsewhere {
        return Err(fault(format!("{address} is not there: its 'when' is false on this host")));
    }
    let names: Vec<String> = host_set.resources.keys().map(ToString::to_string).collect();
    let hint = did_you_mean(text, names.iter().map(String::as_str));
    Err(with_hint(fault(format!("the host has no {address}")), hint))
}

/// `services/nginx.service` means `services/nginx`.
fn plain_service(address: Address) -> Address {
    let short = (address.collection() == Collection::Services).then(|| address.id().strip_suffix(".service")).flatten();
    short.and_then(|id| Address::new(Collection::Services, id).ok()).unwrap_or(address)
}

fn with_hint(finding: Finding, hint: Option<String>) -> Finding {
    match hint {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}

/// Whether an attribute holds edges.
pub(super) fn is_edge(name: &str) -> bool {
    EDGE_ATTRIBUTES.contains(&name)
}
