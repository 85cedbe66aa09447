//! The walk that finds the faults.

use muster_schema::document::RESERVED_FIELDS;
use serde_json::Value;

use super::super::node::{Map, NodeValue};
use super::super::{Finding, Node, did_you_mean};
use super::{Additional, Shape, Type};
use crate::template::is_template;

/// What the walk allows beyond the shape.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Templates {
    /// A string with a template stands for any value.
    Allowed,
    /// A string is a string.
    Rendered,
}

impl Shape {
    /// Adds a finding for each fault of `node`. `what` names it in a sentence: `'port'`.
    pub fn check(&self, node: &Node, what: &str, templates: Templates, found: &mut Vec<Finding>) {
        if templates == Templates::Allowed && node.as_str().is_some_and(is_template) {
            return;
        }
        let is_secret = matches!(node.value, NodeValue::Secret(_));
        if is_secret && !self.types.contains(&Type::Secret) {
            found.push(misplaced_secret(node, what));
            return;
        }
        if !self.types.is_empty() && !self.types.iter().any(|allowed| allowed.fits(node)) {
            found.push(wrong_type(&self.types, node, what));
            return;
        }
        if node.is_null() && self.types.contains(&Type::Null) {
            return;
        }
        if !self.values.is_empty() && !self.values.contains(&node.to_json()) {
            found.push(self.wrong_value(node, what));
            return;
        }
        match &node.value {
            NodeValue::String(text) => self.check_text(&text.text, node, what, found),
            NodeValue::Integer(number) => self.check_number(*number, node, what, found),
            NodeValue::List(items) => {
                if let Some(shape) = &self.items {
                    for item in items.iter() {
                        shape.check(item, &format!("an item of {what}"), templates, found);
                    }
                }
            }
            NodeValue::Map(map) => self.check_map(map, node, templates, found),
            _ => {}
        }
        self.check_alternatives(node, what, templates, found);
    }

    fn check_text(&self, text: &str, node: &Node, what: &str, found: &mut Vec<Finding>) {
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            let reason = format!("{what} does not match the pattern {pattern}");
            let finding = Finding::new(node.place.clone(), reason);
            found.push(match &self.described {
                Some(described) => finding.with_hint(format!("it means: {described}")),
                None => finding,
            });
        }
        let length = text.chars().count() as u64;
        let reason = match self.lengths {
            (Some(least), _) if length < least => {
                format!("{what} has {length} characters, fewer than {least}")
            }
            (_, Some(most)) if length > most => {
                format!("{what} has {length} characters, more than {most}")
            }
            _ => return,
        };
        found.push(Finding::new(node.place.clone(), reason));
    }

    fn check_number(&self, number: i64, node: &Node, what: &str, found: &mut Vec<Finding>) {
        let reason = match self.range {
            (Some(least), _) if number < least => format!("{what} is {number}, less than {least}"),
            (_, Some(most)) if number > most => format!("{what} is {number}, more than {most}"),
            _ => return,
        };
        found.push(Finding::new(node.place.clone(), reason));
    }

    fn check_map(&self, map: &Map, node: &Node, templates: Templates, found: &mut Vec<Finding>) {
        for entry in map.entries() {
            let what = format!("'{}'", entry.key);
            let shape = self.properties.get(entry.key.as_ref());
            match (shape, &self.additional) {
                (Some(shape), _) => shape.check(&entry.value, &what, templates, found),
                (None, Additional::Shape(shape)) => {
                    shape.check(&entry.value, &what, templates, found);
                }
                (None, Additional::Anything) => {}
                (None, Additional::Nothing) => {
                    let known = self.property_names();
                    found.push(unknown_field(&entry.key, entry.place.clone(), known));
                }
            }
        }
        for name in self.required.iter().filter(|name| map.get(name).is_none()) {
            let reason = format!("field '{name}' is missing");
            found.push(Finding::new(node.place.clone(), reason));
        }
    }

    /// If no alternative fits, reports the faults of the first that has the node's type.
    fn check_alternatives(&self, node: &Node, what: &str, templates: Templates, found: &mut Vec<Finding>) {
        let mut faults = Vec::new();
        for alternative in &self.alternatives {
            let mut faults_of_this = Vec::new();
            alternative.check(node, what, templates, &mut faults_of_this);
            if faults_of_this.is_empty() {
                return;
            }
            let same_type = alternative.types.iter().any(|allowed| allowed.fits(node));
            faults.push((!same_type, faults_of_this));
        }
        let types: Vec<Type> = self.alternatives.iter().flat_map(|shape| shape.types.clone()).collect();
        faults.sort_by_key(|(other_type, _)| *other_type);
        match faults.into_iter().next() {
            Some((false, faults)) => found.extend(faults),
            Some(_) => found.push(wrong_type(&types, node, what)),
            None => {}
        }
    }

    fn wrong_value(&self, node: &Node, what: &str) -> Finding {
        let known: Vec<&str> = self.values.iter().filter_map(Value::as_str).collect();
        let given = node.to_json();
        let mut listed: Vec<String> = self
            .values
            .iter()
            .filter(|value| !value.is_null())
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        let last = listed.pop().unwrap_or_default();
        let listed = if listed.is_empty() { last } else { format!("{} or {last}", listed.join(", ")) };
        let finding = Finding::new(node.place.clone(), format!("{what} must be {listed}, not {}", short(&given)));
        match given.as_str().and_then(|given| did_you_mean(given, known)) {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        }
    }
}

impl Type {
    fn fits(self, node: &Node) -> bool {
        matches!(
            (self, &node.value),
            (Type::Null, NodeValue::Null)
                | (Type::Boolean, NodeValue::Bool(_))
                | (Type::Integer, NodeValue::Integer(_))
                | (Type::Number, NodeValue::Integer(_) | NodeValue::Float(_))
                | (Type::String, NodeValue::String(_))
                | (Type::Array, NodeValue::List(_))
                | (Type::Object, NodeValue::Map(_))
                | (Type::Secret, NodeValue::Secret(_))
        )
    }
}

/// The finding for a key that does not exist there.
pub(crate) fn unknown_field<'a>(
    name: &str,
    place: super::super::Place,
    known: impl Iterator<Item = &'a str>,
) -> Finding {
    if RESERVED_FIELDS.contains(&name) {
        return Finding::new(place, format!("'{name}' is not supported yet"));
    }
    let finding = Finding::new(place, format!("unknown field '{name}'"));
    if ["reload_on", "restart_on", "run_on"].contains(&name) {
        return finding.with_hint("a reaction stands on the service or command that reacts");
    }
    match did_you_mean(name, known) {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}

/// The finding for a secret where none can stand.
fn misplaced_secret(node: &Node, what: &str) -> Finding {
    let finding = Finding::new(node.place.clone(), format!("{what} cannot hold a secret"));
    finding.with_hint("secrets stand in contents of files, and in parameters that are declared 'secret: true'")
}

fn wrong_type(allowed: &[Type], node: &Node, what: &str) -> Finding {
    let mut names: Vec<&str> = Vec::new();
    for allowed in allowed.iter().filter(|allowed| **allowed != Type::Null) {
        if !names.contains(&allowed.described()) {
            names.push(allowed.described());
        }
    }
    let reason = format!("{what} must be {}, not {}", names.join(" or "), node.kind());
    let finding = Finding::new(node.place.clone(), reason);
    if allowed.contains(&Type::Secret) {
        return finding.with_hint("write \"{{ secret('NAME') }}\", with the name of a file in secrets/");
    }
    let scalar = matches!(node.value, NodeValue::Float(_) | NodeValue::Integer(_) | NodeValue::Bool(_));
    if scalar && allowed.contains(&Type::String) {
        return finding.with_hint("quote it");
    }
    finding
}

/// A value for a sentence, cut where it is long.
fn short(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), |text| format!("'{text}'"));
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
