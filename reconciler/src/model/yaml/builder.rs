//! Builds the tree from the parser's events, without recursion.

use std::collections::HashMap;
use std::sync::Arc;

use serde_saphyr::granit_parser::{Event, Marker, ScalarStyle, Span};

use super::super::node::{Entry, Map, NodeValue, Text};
use super::super::{Finding, Node, Place};
use super::scalar::plain_value;
use super::{MAX_DEPTH, MAX_NODES};

/// A finished value with what it costs to stand for it again.
#[derive(Clone)]
struct Built {
    node: Node,
    nodes: usize,
    height: usize,
}

/// A collection that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    nodes: usize,
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, lines: HashMap<Arc<str>, u32>, key: Option<(Arc<str>, Place)> },
}

pub(super) struct TreeBuilder {
    file: Arc<str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Built>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
    duplicates: Vec<Finding>,
}

pub(super) fn place_of(file: &Arc<str>, marker: &Marker) -> Place {
    Place {
        file: file.clone(),
        line: u32::try_from(marker.line()).unwrap_or(u32::MAX).max(1),
        column: u32::try_from(marker.col().saturating_add(1)).unwrap_or(u32::MAX),
    }
}

impl TreeBuilder {
    pub(super) fn new(file: Arc<str>) -> TreeBuilder {
        TreeBuilder {
            file,
            open: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            documents: 0,
            root: None,
            duplicates: Vec::new(),
        }
    }

    /// Takes the next event; an error ends the document.
    pub(super) fn push(&mut self, event: Event<'_>, span: Span) -> Result<(), Finding> {
        let place = place_of(&self.file, &span.start);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Finding::new(place, "a file holds one document only"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.is_some(), &place)?;
                let verbatim = columns_to_text(&text, style, &span);
                return self.scalar(&text, style, verbatim, anchor, place);
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse_tag(tag.is_some(), &place)?;
                return self.begin(place, anchor, Content::List(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse_tag(tag.is_some(), &place)?;
                let content = Content::Map { entries: Vec::new(), lines: HashMap::new(), key: None };
                return self.begin(place, anchor, content);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(),
            Event::Alias(anchor) => return self.alias(anchor, place),
            _ => {}
        }
        Ok(())
    }

    /// The tree, or the keys that were given twice.
    pub(super) fn finish(self, start: Place) -> Result<Node, Vec<Finding>> {
        if !self.duplicates.is_empty() {
            return Err(self.duplicates);
        }
        Ok(self.root.unwrap_or_else(|| Node::new(start, NodeValue::Null)))
    }

    fn expects_key(&self) -> bool {
        let innermost = self.open.last().map(|open| &open.content);
        matches!(innermost, Some(Content::Map { key: None, .. }))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        verbatim: Option<u32>,
        anchor: usize,
        place: Place,
    ) -> Result<(), Finding> {
        if self.expects_key() {
            return self.key(text, style, place);
        }
        let value = match style {
            ScalarStyle::Plain => plain_value(text, verbatim),
            _ => NodeValue::String(Text { text: Arc::from(text), verbatim }),
        };
        let node = Node::new(place, value);
        self.add(anchor, Built { node, nodes: 1, height: 1 })
    }

    fn key(&mut self, text: &str, style: ScalarStyle, place: Place) -> Result<(), Finding> {
        if style == ScalarStyle::Plain && text == "<<" {
            return Err(Finding::new(place, "merge keys ('<<') are not supported")
                .with_hint("put what is common into a profile or a parameter"));
        }
        if style == ScalarStyle::Plain && text.is_empty() {
            return Err(Finding::new(place, "a key is missing before ':'"));
        }
        let innermost = self.open.last_mut().map(|open| &mut open.content);
        if let Some(Content::Map { lines, key, .. }) = innermost {
            let text: Arc<str> = Arc::from(text);
            if let Some(first) = lines.insert(text.clone(), place.line) {
                let reason = format!("duplicate key '{text}', also in line {first}");
                self.duplicates.push(Finding::new(place.clone(), reason));
            }
            *key = Some((text, place));
        }
        Ok(())
    }

    fn begin(&mut self, place: Place, anchor: usize, content: Content) -> Result<(), Finding> {
        if self.expects_key() {
            return Err(Finding::new(place, "a key cannot be a map or a list"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(place));
        }
        self.open.push(Open { place, anchor, nodes: 1, height: 1, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Finding> {
        let Some(closed) = self.open.pop() else {
            return Ok(());
        };
        let value = match closed.content {
            Content::List(nodes) => NodeValue::List(nodes.into()),
            Content::Map { entries, .. } => NodeValue::Map(Arc::new(Map::of(entries))),
        };
        let built = Built { node: Node::new(closed.place, value), nodes: closed.nodes, height: closed.height };
        self.add(closed.anchor, built)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Finding> {
        if self.expects_key() {
            return Err(Finding::new(place, "a key cannot be an alias"));
        }
        let Some(mut built) = self.anchors.get(&anchor).cloned() else {
            return Err(Finding::new(place, "an alias stands inside its own anchor"));
        };
        if self.open.len() + built.height > MAX_DEPTH {
            return Err(too_deep(place));
        }
        built.node.place = place;
        if let NodeValue::String(text) = &mut built.node.value {
            text.verbatim = None;
        }
        self.add(0, built)
    }

    fn add(&mut self, anchor: usize, built: Built) -> Result<(), Finding> {
        self.nodes = self.nodes.saturating_add(if self.open.is_empty() { 0 } else { 1 });
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        parent.nodes = parent.nodes.saturating_add(built.nodes);
        parent.height = parent.height.max(built.height + 1);
        if parent.nodes > MAX_NODES || self.nodes > MAX_NODES {
            let reason = format!("the document has more than {MAX_NODES} values, aliases expanded");
            return Err(Finding::new(built.node.place, reason));
        }
        match &mut parent.content {
            Content::List(nodes) => nodes.push(built.node),
            Content::Map { entries, key, .. } => {
                if let Some((key, place)) = key.take() {
                    entries.push(Entry { key, place, value: built.node });
                }
            }
        }
        Ok(())
    }
}

fn refuse_tag(tagged: bool, place: &Place) -> Result<(), Finding> {
    if tagged {
        return Err(
            Finding::new(place.clone(), "tags are not supported").with_hint("quote the value to make it a string")
        );
    }
    Ok(())
}

fn too_deep(place: Place) -> Finding {
    let reason = format!("more than {MAX_DEPTH} maps and lists lie in one another");
    Finding::new(place, reason)
}

/// Columns from the scalar's start to its text, if the text stands there as it is.
fn columns_to_text(text: &str, style: ScalarStyle, span: &Span) -> Option<u32> {
    let quotes = match style {
        ScalarStyle::Plain => 0,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
        _ => return None,
    };
    let written = span.end.index().checked_sub(span.start.index())?;
    (written == text.chars().count() + 2 * quotes).then_some(quotes as u32)
}
