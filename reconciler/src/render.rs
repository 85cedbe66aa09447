//! Renders the model per host: pure, a function of the repository and of what was reported.

mod check;
mod content;
mod edges;
mod exceptions;
mod explain;
mod facts;
mod finish;
mod host_object;
mod order;
mod outputs;
mod placed;
mod reads;
mod record;
mod rendering;
mod resource;
mod scope;
mod secret;
mod settings;
mod tree;
mod unite;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_schema::resource::Resource;
use muster_schema::{BlobId, HostId, Sha256Digest};

pub use check::{CheckedFleet, check_fleet, check_hosts, merge_findings};
pub use explain::{ExplainedAttribute, explain_resource, layer_of};
pub use facts::FactsOfFleet;
pub use reads::Reads;
pub use record::Missing;

use crate::model::{
    Application, Finding, Host, Layer, Map, Model, Node, Place, application_of, did_you_mean, without_nulls,
};
use rendering::{Instance, Rendering};
use resource::{Origin, render_resources};
use unite::HostSet;

/// What one host is to have.
#[derive(Debug, Clone, Default)]
pub struct RenderedHost {
    /// The resources, sorted by address.
    pub resources: Vec<Resource>,
    /// The contents that they name.
    pub blobs: BTreeMap<Sha256Digest, Arc<[u8]>>,
    /// Those of them that are files of the repository, byte for byte.
    pub verbatim: BTreeMap<Sha256Digest, BlobId>,
    /// What was read beyond the repository.
    pub reads: Reads,
}

/// Why a host has no host set.
#[derive(Debug, Clone)]
pub enum NotRendered {
    /// Facts are missing: not a fault, the host keeps what it has.
    Waiting {
        /// What is missing.
        missing: Vec<Missing>,
        /// What was read.
        reads: Reads,
    },
    /// The repository is faulty.
    Faulty {
        /// The faults.
        found: Vec<Finding>,
        /// What was read.
        reads: Reads,
    },
}

/// Renders a host.
///
/// # Errors
/// When facts are missing, or the repository is faulty.
#[allow(clippy::result_large_err, reason = "both results are of one size, and looked at once")]
pub fn render_host(model: &Model, id: &HostId, facts: &FactsOfFleet) -> Result<RenderedHost, NotRendered> {
    let Some(host) = model.host(id) else {
        let found = vec![Finding::new(Place::start_of("environments"), format!("there is no host '{id}'"))];
        return Err(NotRendered::Faulty { found, reads: Reads::default() });
    };
    let layer = host.base.under(&host.layer);
    let (rendering, host_set) = render_placed(model, host, &layer, facts);
    let (mut resources, mut variants) = (Vec::new(), Vec::new());
    // With a missing fact it is not known which resources there are.
    if rendering.record().missing.is_empty() {
        unite::check_names(&rendering, &host_set);
        unite::check_paths(&rendering, &host_set);
        let edges = edges::resolve_edges(&rendering, &host_set);
        order::check_order(&rendering, &host_set, &edges);
        for placed in host_set.resources.values() {
            let edges = edges.get(&placed.address).cloned().unwrap_or_default();
            resources.extend(finish::finish_resource(&rendering, placed, edges, layer.mode));
        }
        variants = exceptions::render_exceptions(&rendering, &host_set, &edges, layer.mode, &mut resources);
    }
    let mut record = std::mem::take(&mut *rendering.record());
    let reads = std::mem::take(&mut record.reads);
    if !record.found.is_empty() || (record.stops > 0 && record.missing.is_empty()) {
        record.found.sort();
        record.found.dedup();
        return Err(NotRendered::Faulty { found: record.found, reads });
    }
    if !record.missing.is_empty() {
        return Err(NotRendered::Waiting { missing: record.missing.into_iter().collect(), reads });
    }
    let blobs = finish::blobs_of(host_set.resources.values().chain(&variants), &record.blobs);
    let verbatim = finish::verbatim_of(host_set.resources.values().chain(&variants), &record.blobs);
    Ok(RenderedHost { resources, blobs, verbatim, reads })
}

/// Renders all applications and layers of a host; what is found on the way is in the record.
fn render_placed(model: &Model, host: &Host, layer: &Layer, facts: &FactsOfFleet) -> (Arc<Rendering>, HostSet) {
    let settings = without_nulls(&layer.settings);
    let (instances, found) = instances_of(model, layer, &settings);
    let rendering = Arc::new(Rendering::new(model, host, facts, settings, instances));
    {
        let mut record = rendering.record();
        let applications = rendering.instances.values().map(|instance| instance.application.clone());
        record.reads.begin(host, applications);
        record.reads.note_applications(model, facts);
    }
    for finding in found {
        rendering.fault(finding);
    }
    let mut applications = Vec::new();
    for instance in rendering.instances.values() {
        settings::check_parameters(&rendering, instance);
        let origin = Origin { instance: Some(instance.name.clone()) };
        let set = render_resources(&rendering, &instance.application.resources, &origin);
        applications.push((instance.name.clone(), set));
    }
    check_unassigned(&rendering);
    let layers = render_resources(&rendering, &layer.resources, &Origin { instance: None });
    let host_set = unite::unite(&rendering, applications, layers);
    (rendering, host_set)
}

/// The applications that a host has.
fn instances_of(model: &Model, layer: &Layer, settings: &Node) -> (BTreeMap<Arc<str>, Instance>, Vec<Finding>) {
    let mut instances = BTreeMap::new();
    let mut found = Vec::new();
    for entry in layer.assignments.as_map().map_or(&[][..], Map::entries) {
        if entry.value.is_null() {
            continue;
        }
        let name = application_of(entry);
        let Some(application) = model.application(&name) else {
            let place = entry.value.get("use").map_or(&entry.value.place, |used| &used.place);
            let finding = Finding::new(place.clone(), format!("there is no application '{name}'"));
            let known = model.applications().map(|application| application.name.as_ref());
            found.push(match did_you_mean(&name, known) {
                Some(hint) => finding.with_hint(hint),
                None => finding,
            });
            continue;
        };
        let given = settings.get(&entry.key).filter(|node| node.as_map().is_some());
        let instance = Instance {
            name: entry.key.clone(),
            application: Arc::<Application>::clone(application),
            given: given.cloned().unwrap_or_else(|| Node::empty_map(entry.place.clone())),
            place: entry.value.place.clone(),
            assignment: entry.clone(),
        };
        instances.insert(entry.key.clone(), instance);
    }
    (instances, found)
}

/// Settings of an application that the host does not have: their names are checked all the same.
fn check_unassigned(rendering: &Rendering) {
    for entry in rendering.settings.as_map().map_or(&[][..], Map::entries) {
        let Some(application) = rendering.model.application(&entry.key) else { continue };
        if application.unread || rendering.instances.contains_key(&entry.key) {
            continue;
        }
        for value in entry.value.as_map().map_or(&[][..], Map::entries) {
            if !application.parameters.contains_key(&value.key) {
                let reason = format!("'{}' is not a parameter of the application '{}'", value.key, application.name);
                let finding = Finding::new(value.place.clone(), reason);
                let known = application.parameters.keys().map(AsRef::as_ref);
                rendering.fault(match did_you_mean(&value.key, known) {
                    Some(hint) => finding.with_hint(hint),
                    None => finding,
                });
            }
        }
    }
}
