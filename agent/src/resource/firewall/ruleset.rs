//! Our file: one table with a section for each resource.

use super::rules::{BETWEEN, commented_rules};
use std::collections::BTreeMap;

/// ICMP by its two numbers: their names are in `/etc/protocols`, which a small host may not have.
const HEAD: &str = "# Managed by muster: changes here are taken back.
table inet muster
delete table inet muster
table inet muster {
	chain input {
		type filter hook input priority filter;
		ct state established,related accept
		iif lo accept
		meta l4proto { 1, 58 } accept
";
const FOOT: &str = "\t}\n}\n";
const BEGIN: &str = "\t\t# begin ";
const END: &str = "\t\t# end";
/// What takes the table away, whether it is there or not.
pub(super) const REMOVAL: &str = "table inet muster\ndelete table inet muster\n";

/// The sections of the file, by name.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Ruleset(BTreeMap<String, String>);

impl Ruleset {
    pub(super) fn parse(text: &str) -> Ruleset {
        let mut sections = BTreeMap::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(name) = line.strip_prefix(BEGIN) else { continue };
            let rules = lines.by_ref().take_while(|line| *line != END).map(plain_rule);
            sections.insert(name.to_owned(), rules.collect::<Vec<_>>().join(BETWEEN));
        }
        Ruleset(sections)
    }

    pub(super) fn section(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn set(&mut self, name: String, section: Option<String>) {
        match section {
            Some(section) => self.0.insert(name, section),
            None => self.0.remove(&name),
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole file; loading it replaces the table in one step.
    pub(super) fn render(&self) -> String {
        let mut text = HEAD.to_owned();
        for (name, section) in &self.0 {
            text.push_str(&format!("{BEGIN}{name}\n"));
            for rule in commented_rules(name, section) {
                text.push_str(&format!("\t\t{rule}\n"));
            }
            text.push_str(&format!("{END}\n"));
        }
        text.push_str(FOOT);
        text
    }
}

/// A rule without its comment.
fn plain_rule(line: &str) -> String {
    let rule = line.trim().trim_end_matches(';');
    rule.split_once(" comment \"").map_or(rule, |(rule, _)| rule).to_owned()
}
