//! A plan for a terminal.

use std::fmt::Write;

use serde_json::Value;

use super::resource::ChangeKind;
use super::{AttributeChange, ContentChange, FleetPlan, Grouped, HostChange, ReactionKind, ResourceChange};
use crate::status::inert_line;
use muster_schema::HostId;

/// Hosts that are named one by one.
const NAMED: usize = 5;

/// The plan as text.
pub fn render_text(plan: &FleetPlan) -> String {
    let mut text = String::new();
    for grouped in &plan.hosts {
        let _ = writeln!(text, "{} {}", host_sign(grouped.what), host_line(grouped));
    }
    for grouped in &plan.changes {
        let _ = writeln!(text, "{}", change_line(grouped));
        for line in detail_lines(&grouped.what) {
            let _ = writeln!(text, "    {line}");
        }
    }
    for grouped in &plan.reactions {
        let _ = writeln!(text, "! {}", reaction_line(grouped));
    }
    for (host, missing) in &plan.waiting {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "? {host} cannot be told: it waits for {}", missing.join(", "));
    }
    let _ = writeln!(text, "{}", summary(plan));
    text
}

/// How many of what change where.
fn summary(plan: &FleetPlan) -> String {
    let rank = |rank: u8| plan.changes.iter().filter(|grouped| grouped.what.rank() == rank).count();
    let mut hosts: Vec<&HostId> = plan.changes.iter().flat_map(|grouped| &grouped.hosts).collect();
    hosts.sort();
    hosts.dedup();
    let untold = match plan.waiting.len() {
        0 => String::new(),
        waiting => format!("; {waiting} cannot be told"),
    };
    if plan.is_empty() {
        return format!("no changes on {}{untold}", count(plan.host_count, "host"));
    }
    format!(
        "{} to remove, {} to change, {} to add, on {} of {}{untold}",
        rank(0),
        rank(1),
        rank(2),
        hosts.len(),
        count(plan.host_count, "host")
    )
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// `42 hosts: a, b, c, d, e and 37 more`, or `host a`.
fn named_hosts<T>(grouped: &Grouped<T>) -> String {
    let first: Vec<&str> = grouped.hosts.iter().take(NAMED).map(HostId::as_str).collect();
    match grouped.hosts.len() {
        1 => format!("host {}", first.join("")),
        all if all > NAMED => format!("{all} hosts: {} and {} more", first.join(", "), all - NAMED),
        all => format!("{all} hosts: {}", first.join(", ")),
    }
}

fn host_sign(change: HostChange) -> char {
    match change {
        HostChange::Retired | HostChange::RetiredAndReverted | HostChange::Unapproved => '-',
        HostChange::Declared | HostChange::Approved => '+',
        HostChange::Rekeyed | HostChange::Moved => '~',
    }
}

fn host_line(grouped: &Grouped<HostChange>) -> String {
    format!("{}: {}", named_hosts(grouped), host_change_text(grouped.what))
}

pub(super) fn host_change_text(change: HostChange) -> &'static str {
    match change {
        HostChange::Retired => "retired, left as it is",
        HostChange::RetiredAndReverted => "retired, put back to what was found",
        HostChange::Declared => "new",
        HostChange::Approved => "gets a key, and is published from then on",
        HostChange::Rekeyed => "gets another key",
        HostChange::Unapproved => "loses its key, and is published no longer",
        HostChange::Moved => "moves to another environment",
    }
}

fn change_line(grouped: &Grouped<ResourceChange>) -> String {
    format!("{}, on {}", change_text(&grouped.what), named_hosts(grouped))
}

/// A change in one line: `~ files/etc/motd +1 −1`.
pub fn change_text(change: &ResourceChange) -> String {
    let (sign, note) = match &change.kind {
        ChangeKind::Removed { kept: true } => ('-', " (left as it is)".to_owned()),
        ChangeKind::Removed { kept: false } => ('-', " (returns to what was found)".to_owned()),
        ChangeKind::Changed { contents, .. } => ('~', counts(contents)),
        ChangeKind::Added { contents, .. } => ('+', counts(contents)),
    };
    format!("{sign} {}{note}", change.address)
}

/// ` +3 −1`, or sizes where the content is not short text.
pub(super) fn counts(contents: &[ContentChange]) -> String {
    let counted: Vec<String> = contents
        .iter()
        .map(|change| match change.diff {
            Some(_) => format!(" +{} −{}", change.plus, change.minus),
            None => format!(" {} → {} bytes", change.bytes_before, change.bytes_after),
        })
        .collect();
    counted.concat()
}

/// Attributes and differences, a line each; nothing in them moves a terminal.
pub fn detail_lines(change: &ResourceChange) -> Vec<String> {
    let mut lines = Vec::new();
    let contents = match &change.kind {
        ChangeKind::Removed { .. } => return lines,
        ChangeKind::Changed { attributes, contents } => {
            lines.extend(attributes.iter().map(attribute_line));
            contents
        }
        ChangeKind::Added { attributes, contents } => {
            lines.extend(attributes.iter().map(|(name, value)| format!("{name}: {}", shown(value))));
            // Of what is new the counts suffice.
            if contents.iter().all(|content| content.plus > 20) {
                return lines;
            }
            contents
        }
    };
    for content in contents {
        if content.slot != "content" {
            lines.push(format!("{}:", content.slot));
        }
        lines.extend(content.diff.iter().flat_map(|diff| diff.lines()).map(inert));
    }
    lines
}

fn attribute_line(change: &AttributeChange) -> String {
    let not_managed = |value: &Value| if value.is_null() { "not managed".to_owned() } else { shown(value) };
    format!("{}: {} → {}", change.attribute, not_managed(&change.before), not_managed(&change.after))
}

fn shown(value: &Value) -> String {
    inert(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// Text without control characters and marks that reorder or hide what stands round them. Tabs stay.
fn inert(text: &str) -> String {
    text.split('\t').map(|part| inert_line(part, usize::MAX)).collect::<Vec<_>>().join("\t")
}

fn reaction_line(grouped: &Grouped<super::Reaction>) -> String {
    let what = match grouped.what.reaction {
        ReactionKind::Restarts => "restarts",
        ReactionKind::Reloads => "reloads",
        ReactionKind::Runs => "runs",
    };
    format!("{what} {}, on {}", grouped.what.address, named_hosts(grouped))
}
