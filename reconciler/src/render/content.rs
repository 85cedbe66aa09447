//! Contents of files and commands: given in place, by file, or by template.

use std::sync::Arc;

use minijinja::Value;
use muster_schema::Collection;
use muster_schema::content::MAX_BLOB_BYTES;
use muster_schema::resource::ContentForm;

use super::placed::{Contents, Filling, PlacedContent};
use super::rendering::{Rendering, Stopped};
use super::resource::Origin;
use super::scope::Root;
use super::secret::segments_of;
use crate::model::{Content, ContentFault, Finding, Node, NodeValue, Place};
use crate::template::{SecretText, value_of_node};

type Locals = [(Arc<str>, Value)];

/// Whether an attribute of a document gives a content, or says how.
pub(super) fn is_content(collection: Collection, name: &str) -> bool {
    match collection.contents() {
        ContentForm::None => false,
        ContentForm::Tree => name == "source",
        ContentForm::Whole => matches!(name, "content" | "source" | "template" | "vars"),
        ContentForm::Attributes(slots) => slots.contains(&name),
    }
}

/// The contents of a resource.
pub(super) fn render_contents(
    rendering: &Arc<Rendering>,
    collection: Collection,
    attributes: &Node,
    origin: &Origin,
    locals: &Locals,
    scope: &Value,
) -> Result<Contents, Stopped> {
    let form = collection.contents();
    let mut contents = Contents::new();
    for slot in form.slots() {
        let given = match (form, slot.split_once('.')) {
            (ContentForm::Whole, _) => Some(attributes),
            (_, Some((outer, inner))) => attributes.get(outer).and_then(|outer| outer.get(inner)),
            (_, None) => attributes.get(slot),
        };
        let rendered = given.map(|given| render_content(rendering, given, origin, locals, scope)).transpose()?;
        if let Some(content) = rendered.flatten() {
            check_secret(rendering, collection, slot, &content)?;
            contents.insert(slot, content);
        }
    }
    Ok(contents)
}

/// Secrets stand only where the agent keeps them to itself.
fn check_secret(
    rendering: &Rendering,
    collection: Collection,
    slot: &str,
    content: &PlacedContent,
) -> Result<(), Stopped> {
    if matches!(content.content, Filling::Bytes(_)) || collection.secret_slots().contains(&slot) {
        return Ok(());
    }
    let reason = format!("'{slot}' of {collection} cannot hold a secret");
    let finding = Finding::new(content.place.clone(), reason);
    Err(rendering.fault(finding.with_hint("docs/secrets.md lists where secrets may stand")))
}

/// The content that a string, or one of `content`, `source` and `template` in a map, gives.
fn render_content(
    rendering: &Arc<Rendering>,
    given: &Node,
    origin: &Origin,
    locals: &Locals,
    scope: &Value,
) -> Result<Option<PlacedContent>, Stopped> {
    if given.is_null() {
        return Ok(None);
    }
    if given.as_map().is_none() {
        return text_content(rendering, given, scope);
    }
    let named = |name: &str| given.get(name).filter(|node| !node.is_null());
    let vars = named("vars");
    if let (Some(vars), None) = (vars, named("template")) {
        let finding = Finding::new(vars.place.clone(), "'vars' has no use without 'template'");
        return Err(rendering.fault(finding));
    }
    if let Some(content) = named("content") {
        return text_content(rendering, content, scope);
    }
    if let Some(source) = named("source") {
        let path = file_path(rendering, source, scope)?;
        let loaded = rendering.model.contents().load(&path);
        let content = loaded.map_err(|fault| content_fault(rendering, fault, source))?;
        let (content, file) = (Filling::Bytes(content), Some(path.into()));
        return Ok(Some(PlacedContent { content, place: source.place.clone(), origin: "source", file }));
    }
    let Some(template) = named("template") else { return Ok(None) };
    let path = file_path(rendering, template, scope)?;
    let compiled = rendering.model.contents().template(&path);
    let compiled = compiled.map_err(|fault| content_fault(rendering, fault, template))?;
    let with_vars = match vars {
        Some(vars) => {
            let vars = rendering.evaluate_node(vars, scope)?;
            let vars = vars.as_map().map_or(&[][..], |map| map.entries());
            let mut locals = locals.to_vec();
            locals.extend(vars.iter().map(|entry| (entry.key.clone(), value_of_node(&entry.value))));
            Some(Root::of_resources(rendering, origin.instance.clone(), locals))
        }
        None => None,
    };
    let scope = with_vars.as_ref().unwrap_or(scope);
    let file: Arc<str> = Arc::from(path.as_str());
    let place_of = |offset| Place::in_text(file.clone(), compiled.source(), offset);
    let text = rendering.evaluate_template(&compiled, scope, place_of)?;
    let content = match SecretText::of_value(&text) {
        Some(text) => secret_content(rendering, text, &template.place)?,
        None => content_of(rendering, text.as_str().unwrap_or_default(), &template.place)?,
    };
    Ok(Some(PlacedContent { content, place: template.place.clone(), origin: "template", file: Some(file) }))
}

fn text_content(rendering: &Arc<Rendering>, node: &Node, scope: &Value) -> Result<Option<PlacedContent>, Stopped> {
    let evaluated = rendering.evaluate_node(node, scope)?;
    let content = match &evaluated.value {
        NodeValue::Null => return Ok(None),
        NodeValue::String(text) => content_of(rendering, &text.text, &node.place)?,
        NodeValue::Secret(text) => secret_content(rendering, text, &node.place)?,
        NodeValue::Integer(number) => content_of(rendering, &number.to_string(), &node.place)?,
        _ => {
            let reason = format!("a content must be a string, not {}", evaluated.kind());
            let finding = Finding::new(node.place.clone(), reason).with_hint("use the filter tojson for JSON");
            return Err(rendering.fault(finding));
        }
    };
    Ok(Some(PlacedContent { content, place: node.place.clone(), origin: "content", file: None }))
}

fn secret_content(rendering: &Rendering, text: &SecretText, place: &Place) -> Result<Filling, Stopped> {
    let (content, blobs) = segments_of(rendering, text, place)?;
    Ok(Filling::Segments { content, blobs, shown: text.to_string() })
}

fn content_of(rendering: &Rendering, text: &str, place: &Place) -> Result<Filling, Stopped> {
    if text.len() as u64 > MAX_BLOB_BYTES {
        let reason = format!("the content has {} bytes, more than {MAX_BLOB_BYTES}", text.len());
        return Err(rendering.fault(Finding::new(place.clone(), reason)));
    }
    Ok(Filling::Bytes(Content::of(text.as_bytes())))
}

/// The path of a file that is named relative to the files/ folder beside its document.
pub(super) fn file_path(rendering: &Arc<Rendering>, named: &Node, scope: &Value) -> Result<String, Stopped> {
    let evaluated = rendering.evaluate_node(named, scope)?;
    let fault = |reason: String| rendering.fault(Finding::new(named.place.clone(), reason));
    let Some(name) = evaluated.as_str() else {
        return Err(fault(format!("the name of a file must be a string, not {}", evaluated.kind())));
    };
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(fault(format!("'{name}' is no path below files/")));
    }
    let path = format!("{}/{name}", files_folder(&named.place.file));
    rendering.read_document(&Arc::from(path.as_str()));
    rendering.record().reads.note_content(&path, &rendering.model, &rendering.facts);
    Ok(path)
}

/// The files/ folder that belongs to a document. Hosts share that of their environment.
fn files_folder(document: &str) -> String {
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = folder.strip_suffix("/hosts").unwrap_or(folder);
    if folder.is_empty() { "files".to_owned() } else { format!("{folder}/files") }
}

pub(super) fn content_fault(rendering: &Rendering, fault: ContentFault, named: &Node) -> Stopped {
    rendering.fault(match fault {
        ContentFault::Missing(reason) => Finding::new(named.place.clone(), reason),
        ContentFault::Faulty(finding) => finding,
    })
}
