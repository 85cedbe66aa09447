//! Checks `exceptions` as they are written, before anything is rendered.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use muster_schema::document::EXCEPTION_FIELDS;
use muster_schema::{Address, Timestamp};

use super::node::{Entry, Map, NodeValue};
use super::resources::{attributes_shape, bad_id};
use super::{Finding, Node, Templates, did_you_mean};

/// What an exception cannot change: who comes before whom, and what happens apart from the state of the thing.
const FIXED: [&str; 11] = [
    "each",
    "enforcement",
    "on_remove",
    "reload_on",
    "requires",
    "restart_on",
    "retry",
    "risky",
    "run_on",
    "timeout",
    "when",
];

/// Adds a finding for each fault of a document's `exceptions`.
pub(super) fn check_exceptions(exceptions: &Node, found: &mut Vec<Finding>) {
    for entry in exceptions.as_map().map_or(&[][..], Map::entries) {
        check_exception(entry, found);
    }
}

fn check_exception(entry: &Entry, found: &mut Vec<Finding>) {
    let address = match entry.key.parse::<Address>() {
        Ok(address) => address,
        Err(error) => {
            found.push(bad_id(&entry.place, &error));
            return;
        }
    };
    let Some(map) = entry.value.as_map() else { return };
    if let Some(until) = entry.value.get("until")
        && let Some(text) = until.as_str()
        && load_until(text).is_none()
    {
        let finding = Finding::new(until.place.clone(), format!("'{text}' is no date and no time"));
        found.push(finding.with_hint("write the last day it holds, as in 2026-12-01"));
    }
    let attributes = attributes_of(&entry.value);
    for fixed in attributes.as_map().map_or(&[][..], Map::entries) {
        let is_mode = fixed.key.as_ref() == "mode" && !address.collection().has_permissions();
        if FIXED.contains(&fixed.key.as_ref()) || is_mode {
            found.push(Finding::new(fixed.place.clone(), format!("an exception cannot change '{}'", fixed.key)));
        }
    }
    attributes_shape(address.collection()).check(&attributes, &format!("'{address}'"), Templates::Allowed, found);
    let waives = entry.value.get("waive").is_some_and(is_true);
    let changes = map.entries().len() > EXCEPTION_FIELDS.iter().filter(|name| map.entry(name).is_some()).count();
    if waives == changes {
        let reason = if waives {
            format!("the exception for {address} waives it and changes it")
        } else {
            format!("the exception for {address} changes nothing")
        };
        let finding = Finding::new(entry.value.place.clone(), reason);
        found.push(finding.with_hint("write 'waive: true', or the attributes that hold meanwhile"));
    }
}

/// The attributes that an exception gives.
pub(crate) fn attributes_of(exception: &Node) -> Node {
    let entries = exception.as_map().map_or(&[][..], Map::entries);
    let attributes = entries.iter().filter(|entry| !EXCEPTION_FIELDS.contains(&entry.key.as_ref()));
    let map = Map::of_sorted(attributes.cloned().collect());
    Node::new(exception.place.clone(), NodeValue::Map(Arc::new(map)))
}

/// Whether an exception asks for nothing.
pub(crate) fn is_waiver(exception: &Node) -> bool {
    exception.get("waive").is_some_and(is_true)
}

/// When an exception ends. A date ends at 24:00 UTC.
pub(crate) fn load_until(text: &str) -> Option<Timestamp> {
    let millis = match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => {
            date.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()
        }
        _ => return load_time(text),
    };
    u64::try_from(millis).ok().map(Timestamp)
}

/// A time with its zone.
pub(crate) fn load_time(text: &str) -> Option<Timestamp> {
    let time = text.parse::<jiff::Timestamp>().ok()?;
    u64::try_from(time.as_millisecond()).ok().map(Timestamp)
}

fn is_true(node: &Node) -> bool {
    matches!(node.value, NodeValue::Bool(true))
}

/// The finding about an exception for what the host does not have.
pub(crate) fn no_such_resource<'a>(entry: &Entry, known: impl Iterator<Item = &'a Address>) -> Finding {
    let finding = Finding::new(entry.place.clone(), format!("the host has no {}", entry.key));
    let known: Vec<String> = known.map(ToString::to_string).collect();
    match did_you_mean(&entry.key, known.iter().map(String::as_str)) {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}
