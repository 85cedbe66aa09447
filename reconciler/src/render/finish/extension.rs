//! Resources of declared collections.

use std::sync::Arc;

use muster_schema::resource::{Enforcement, Existence, Resource, Spec};

use super::super::edges::Edges;
use super::super::placed::Placed;
use super::super::rendering::Rendering;
use crate::model::{Extension, Finding, Map, Node, NodeValue, Templates};

/// The resource as its declaration asks for it; its faults are noted.
pub(super) fn finish_extension(
    rendering: &Rendering,
    placed: &Placed,
    extension: &Arc<Extension>,
    edges: &Edges,
    host_mode: Option<Enforcement>,
) -> Option<Resource> {
    rendering.record().reads.note_extension(extension.name, &rendering.model, &rendering.facts);
    let attributes = extension.shape().coerce(&placed.attributes);
    let what = format!("'{}'", placed.address);
    let mut faults = Vec::new();
    extension.shape().check(&attributes, &what, Templates::Rendered, &mut faults);
    if let Err(reason) = extension.takes_id(placed.address.id()) {
        faults.push(Finding::new(placed.place.clone(), reason));
    }
    if let Some(float) = float_in(&attributes) {
        let finding = Finding::new(float.place.clone(), format!("{what} has a number with a fraction"));
        faults.push(finding.with_hint("quote it: a manifest has whole numbers only"));
    }
    if let Some(secret) = attributes.secret() {
        faults.push(Finding::new(secret.place.clone(), format!("{what} cannot hold a secret")));
    }
    let tell = |faults: Vec<Finding>| {
        let scope = rendering.scope_of(placed.tainted);
        let mut record = rendering.record();
        faults.into_iter().for_each(|fault| record.find(fault.with_scope(scope.clone())));
    };
    if !faults.is_empty() {
        tell(faults);
        return None;
    }
    let map = attributes.as_map()?;
    let meta = match super::meta_of(map.entries(), placed.address.collection(), edges) {
        Ok(meta) => meta,
        Err(error) => {
            tell(vec![Finding::new(placed.place.clone(), format!("{}: {error}", placed.address))]);
            return None;
        }
    };
    match extension.spec_of(map, meta.state == Existence::Absent) {
        Ok(spec) => super::sound(rendering, placed, meta, Spec::Extension(Box::new(spec)), host_mode),
        Err(missing) => {
            let fault =
                |name| Finding::new(placed.place.clone(), format!("{}: field '{name}' is missing", placed.address));
            tell(missing.into_iter().map(fault).collect());
            None
        }
    }
}

/// A number with a fraction, anywhere in it.
fn float_in(node: &Node) -> Option<&Node> {
    match &node.value {
        NodeValue::Float(_) => Some(node),
        NodeValue::List(items) => items.iter().find_map(float_in),
        NodeValue::Map(map) => Map::entries(map).iter().find_map(|entry| float_in(&entry.value)),
        _ => None,
    }
}
