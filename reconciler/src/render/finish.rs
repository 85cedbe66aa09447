//! From attributes with places to the typed resources of a manifest.

mod extension;
mod secret_text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use muster_schema::resource::{Enforcement, Existence, Meta, Resource, Spec};
use muster_schema::{Address, BlobId, Collection};
use serde::Deserialize;

use super::edges::{Edges, is_edge};
use super::placed::{Filling, Placed};
use super::rendering::Rendering;
use crate::model::{Content, Entry, Finding, Map, Node, Templates, Unfit, attributes_shape, entries_deserializer};
use secret_text::{SplitTexts, split_texts};

/// Attributes that every type has under the same name in the manifest.
const META: [&str; 5] = ["on_remove", "retry", "risky", "state", "timeout"];

/// The typed resource; its faults are noted.
pub(super) fn finish_resource(
    rendering: &Rendering,
    placed: &Placed,
    edges: Edges,
    host_mode: Option<Enforcement>,
) -> Option<Resource> {
    let collection = placed.address.collection();
    if let Some(extension) = rendering.model.extensions().of(collection) {
        return extension::finish_extension(rendering, placed, extension, &edges, host_mode);
    }
    let SplitTexts { attributes, texts } = split_texts(rendering, placed).ok()?;
    let (meta, mut spec) = match typed(&attributes, placed, &edges) {
        Ok(typed) => typed,
        Err(error) => {
            let shape = attributes_shape(collection);
            let coerced = shape.coerce(&attributes);
            match typed(&coerced, placed, &edges) {
                Ok(typed) => typed,
                Err(_) => {
                    tell_faults(rendering, placed, &coerced, &error);
                    return None;
                }
            }
        }
    };
    // A document says secret(): segments are of manifests alone.
    let rendered = placed.contents.values().filter(|content| matches!(content.content, Filling::Segments { .. }));
    if spec.secrets().len() != rendered.count() {
        let reason = format!("{} has 'segments', which no document has", placed.address);
        rendering.fault(Finding::new(placed.place.clone(), reason).with_hint("write secret('NAME')"));
        return None;
    }
    texts.into_iter().for_each(|(slot, text)| spec.set_secret_content(&slot, text));
    sound(rendering, placed, meta, spec, host_mode)
}

/// The resource, with what the host says of differences, if it makes sense.
fn sound(
    rendering: &Rendering,
    placed: &Placed,
    mut meta: Meta,
    spec: Spec,
    host_mode: Option<Enforcement>,
) -> Option<Resource> {
    meta.mode = match (meta.mode, host_mode) {
        (Some(own), _) => Some(own),
        (None, Some(Enforcement::Enforce) | None) => None,
        (None, of_host) => of_host,
    };
    if let Some(reason) = unsound(&placed.address, &meta, &spec) {
        let scope = rendering.scope_of(placed.tainted);
        rendering.record().find(Finding::new(placed.place.clone(), reason).with_scope(scope));
        return None;
    }
    let application = placed.instance.as_ref().map(ToString::to_string);
    Some(Resource { address: placed.address.clone(), application, meta, spec, exception: None })
}

fn typed(attributes: &Node, placed: &Placed, edges: &Edges) -> Result<(Meta, Spec), Unfit> {
    let collection = placed.address.collection();
    let entries = attributes.as_map().map_or(&[][..], Map::entries);
    let meta = meta_of(entries, collection, edges)?;
    let of_type = |entry: &&Entry| {
        let name = entry.key.as_ref();
        !(is_meta(entry) || name == "enforcement" || is_edge(name) || is_enforcement(collection, entry))
    };
    let mut spec = Spec::deserialize_as(collection, entries_deserializer(entries.iter().filter(of_type)))?;
    for (slot, content) in &placed.contents {
        match &content.content {
            Filling::Bytes(content) => spec.set_content(slot, content.blob),
            Filling::Segments { content, .. } => spec.set_secret_content(slot, content.clone()),
        }
    }
    Ok((meta, spec))
}

fn is_meta(entry: &&Entry) -> bool {
    META.contains(&entry.key.as_ref())
}

/// What every resource has.
fn meta_of(entries: &[Entry], collection: Collection, edges: &Edges) -> Result<Meta, Unfit> {
    let mut meta = Meta::deserialize(entries_deserializer(entries.iter().filter(is_meta)))?;
    for entry in entries {
        if is_edge(&entry.key) {
            // Only the form is checked here; what is named was resolved before.
            Vec::<Cow<'_, str>>::deserialize(&entry.value)?;
        } else if entry.key.as_ref() == "enforcement" || is_enforcement(collection, entry) {
            meta.mode = Option::deserialize(&entry.value)?;
        }
    }
    let list = |name: &str| edges.get(name).into_iter().flatten().cloned().collect();
    meta.requires = list("requires");
    meta.restart_on = list("restart_on");
    meta.reload_on = list("reload_on");
    meta.run_on = list("run_on");
    Ok(meta)
}

/// `mode` means permission bits where there are any, unless it is one of the words.
fn is_enforcement(collection: Collection, entry: &Entry) -> bool {
    let is_word = || matches!(entry.value.as_str(), Some("enforce" | "audit" | "apply_once"));
    entry.key.as_ref() == "mode" && (!collection.has_permissions() || is_word())
}

/// The attributes did not fit their types: says which, or at least what serde says.
fn tell_faults(rendering: &Rendering, placed: &Placed, attributes: &Node, error: &Unfit) {
    let mut faults = Vec::new();
    let what = format!("'{}'", placed.address);
    attributes_shape(placed.address.collection()).check(attributes, &what, Templates::Rendered, &mut faults);
    if faults.is_empty() {
        faults.push(Finding::new(placed.place.clone(), format!("{}: {error}", placed.address)));
    }
    let scope = rendering.scope_of(placed.tainted);
    let mut record = rendering.record();
    faults.into_iter().for_each(|fault| record.find(fault.with_scope(scope.clone())));
}

/// What fits its types and still makes no sense.
fn unsound(address: &Address, meta: &Meta, spec: &Spec) -> Option<String> {
    if meta.state == Existence::Latest && address.collection() != Collection::Packages {
        return Some(format!("{address}: only packages have the state 'latest'"));
    }
    if meta.state == Existence::Absent {
        return None;
    }
    spec.contradiction(meta).map(|contradiction| format!("{address} {contradiction}"))
}

/// All contents of resources by digest, with those of `texts`.
pub(super) fn blobs_of<'a>(
    placed: impl Iterator<Item = &'a Placed>,
    texts: &'a [Content],
) -> BTreeMap<muster_schema::Sha256Digest, Arc<[u8]>> {
    contents_of(placed, texts).map(|content| (content.blob.sha256, content.bytes.clone())).collect()
}

/// Those of them that are files of the repository as they are.
pub(super) fn verbatim_of<'a>(
    placed: impl Iterator<Item = &'a Placed>,
    texts: &'a [Content],
) -> BTreeMap<muster_schema::Sha256Digest, BlobId> {
    contents_of(placed, texts).filter_map(|content| Some((content.blob.sha256, content.file?))).collect()
}

fn contents_of<'a>(
    placed: impl Iterator<Item = &'a Placed>,
    texts: &'a [Content],
) -> impl Iterator<Item = &'a Content> {
    placed.flat_map(|placed| placed.contents.values()).flat_map(|placed| placed.content.blobs()).chain(texts)
}
