//! Exceptions: both what normally holds and what holds meanwhile go into the manifest; the agent judges the time.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_schema::Address;
use muster_schema::resource::{Enforcement, Exception, Held, Resource, Variant};

use super::edges::Edges;
use super::finish::finish_resource;
use super::placed::Placed;
use super::rendering::Rendering;
use super::resource::{Origin, render_resources};
use super::unite::{HostSet, lay_over};
use crate::model::{
    Entry, Map, Node, NodeValue, exception_attributes, is_waiver, load_until, no_such_resource, without_nulls,
};

/// Gives the host's exceptions to their resources. The answer is what holds meanwhile, with its contents.
pub(super) fn render_exceptions(
    rendering: &Arc<Rendering>,
    host_set: &HostSet,
    edges: &BTreeMap<Address, Edges>,
    host_mode: Option<Enforcement>,
    resources: &mut [Resource],
) -> Vec<Placed> {
    let mut variants = Vec::new();
    let exceptions = rendering.host.layer.exceptions.clone();
    for entry in exceptions.as_map().map_or(&[][..], Map::entries) {
        let Ok(address) = rendering.model.extensions().load_address(&entry.key) else { continue };
        let Some(placed) = host_set.resources.get(&address) else {
            let finding = no_such_resource(entry, host_set.resources.keys());
            let scope = rendering.scope_of(host_set.resources.values().any(|placed| placed.tainted));
            rendering.record().find(finding.with_scope(scope));
            continue;
        };
        let text = |name: &str| entry.value.get(name).and_then(Node::as_str).map(str::to_owned);
        let (Some(reason), Some(until)) = (text("reason"), text("until").and_then(|text| load_until(&text))) else {
            continue;
        };
        let holds = if is_waiver(&entry.value) {
            Held::Waiver
        } else {
            let edges = edges.get(&address).cloned().unwrap_or_default();
            let Some(variant) = variant_of(rendering, placed, entry) else { continue };
            let Some(resource) = finish_resource(rendering, &variant, edges, host_mode) else { continue };
            variants.push(variant);
            Held::Instead(Box::new(Variant { state: resource.meta.state, spec: resource.spec }))
        };
        if let Some(resource) = resources.iter_mut().find(|resource| resource.address == address) {
            resource.exception = Some(Exception { reason, until, holds });
        }
    }
    variants
}

/// The resource with the attributes of its exception over its own.
fn variant_of(rendering: &Arc<Rendering>, below: &Placed, exception: &Entry) -> Option<Placed> {
    let map_of = |key: &str, value: Node| {
        let entry = Entry { key: Arc::from(key), value, ..exception.clone() };
        let map = Map::of_sorted(vec![entry]);
        Node::new(exception.place.clone(), NodeValue::Map(Arc::new(map)))
    };
    let attributes = exception_attributes(&exception.value);
    let collection = below.address.collection();
    let one = map_of(collection.name(), map_of(below.address.id(), attributes));
    let rendered = render_resources(rendering, &one, &Origin { instance: None });
    let over = rendered.resources.into_iter().next()?;
    let mut variant = lay_over(below.clone(), over);
    variant.attributes = without_nulls(&variant.attributes);
    Some(variant)
}
