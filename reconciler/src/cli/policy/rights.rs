//! The table of who may do what.

use std::collections::BTreeSet;

use muster_schema::document::Verb;

use crate::cli::output::print_table;
use crate::cli::say::say;
use crate::policy::{ACCESS_POLICY, Grant};
use crate::verify::SigningPolicy;

/// Prints what each listed signer may do where, and how many must approve what.
pub(super) fn print(policy: &SigningPolicy) {
    let signers: BTreeSet<&[String]> = policy.allowed.iter().map(|line| line.principals.as_slice()).collect();
    let rows: Vec<Vec<String>> = signers
        .into_iter()
        .map(|principals| {
            let verbs = Verb::EACH.into_iter().map(|verb| places(&policy.access.grant(principals, verb), verb));
            std::iter::once(principals.join(",")).chain(verbs).collect()
        })
        .collect();
    print_table(&["SIGNER", "WRITE", "MERGE", "APPROVE", "QUERY", "ACT"], &rows);
    for forge in &policy.access.forges {
        say!("{forge} is a forge: it makes clean merges, by the rights of those whose commits it brings");
    }
    for threshold in &policy.access.approvals {
        let paths: Vec<String> = threshold.paths.iter().map(ToString::to_string).collect();
        let own = if threshold.author_counts { ", the author's own among them" } else { "" };
        say!("{} needs {} approvals{own} ({ACCESS_POLICY}:{})", paths.join(" "), threshold.needs, threshold.line);
    }
    for rule in policy.access.rules.iter().filter(|rule| !rule.bounds.are_none()) {
        say!("{} is for {}", rule.name, rule.bounds);
        let named: BTreeSet<String> =
            policy.access.outputs.iter().flat_map(|output| &output.paths).map(ToString::to_string).collect();
        let paths = rule.paths.iter().flatten().map(ToString::to_string).filter(|path| !named.contains(path));
        let paths: Vec<String> = paths.collect();
        if rule.grants(Verb::Write) && !paths.is_empty() {
            say!(
                "    changes are judged by the facts of their time; 'outputs' would bind {} for good",
                paths.join(" ")
            );
        }
    }
    for output in policy.access.outputs.iter() {
        let paths: Vec<String> = output.paths.iter().map(ToString::to_string).collect();
        say!("what is written in {} is for {output}", paths.join(" "));
    }
}

fn places(granted: &Grant<'_>, verb: Verb) -> String {
    if !granted.is_any() {
        return "-".to_owned();
    }
    if granted.names_everything() {
        return if verb.is_about_paths() { "everything" } else { "yes" }.to_owned();
    }
    let patterns: BTreeSet<String> = granted.patterns().map(ToString::to_string).collect();
    patterns.into_iter().collect::<Vec<_>>().join(" ")
}
