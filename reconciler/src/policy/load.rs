//! Reads `policy/access.yaml` and finds all its faults.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use muster_schema::document::{AccessDocument, AccessRule, ApprovalRule, OutputRule, Selector, Verb, document_schema};
use muster_schema::name::is_name;
use serde::Deserialize;

use super::access_policy::AccessPolicy;
use super::bounds::Bounds;
use super::outputs::{Output, Outputs};
use super::path_pattern::PathPattern;
use super::principal_pattern::PrincipalPattern;
use super::rule::{ApprovalThreshold, Rule, RuleName};
use crate::model::{Entry, Finding, Map, Node, Shape, Templates, did_you_mean, load_yaml};

/// Where the document stands.
pub const ACCESS_POLICY: &str = "policy/access.yaml";

/// Rules, and thresholds, that the document may have.
const MAX_RULES: usize = 1000;
/// Entries that one list of it may have.
const MAX_ENTRIES: usize = 1000;

/// How a rule names a team.
const TEAM: &str = "team:";

static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::of_schema(&document_schema::<AccessDocument>()));

type Teams = BTreeMap<Arc<str>, Vec<PrincipalPattern>>;

/// Reads the document from the bytes of the file at `file`.
///
/// # Errors
/// All its faults, each with its place.
pub fn load_access_policy(file: &Arc<str>, bytes: &[u8]) -> Result<AccessPolicy, Vec<Finding>> {
    let root = load_yaml(file, bytes)?;
    let root = if root.is_null() { Node::empty_map(root.place) } else { root };
    let mut found = Vec::new();
    SHAPE.check(&root, "the document", Templates::Rendered, &mut found);
    if !found.is_empty() {
        return Err(found);
    }
    let forges = load_forges(root.get("forge"), &mut found);
    let teams = load_teams(root.get("teams"), &forges, &mut found);
    let rules = limited(root.get("rules"), "rules", MAX_RULES, &mut found);
    let rules = rules.iter().zip(1..).filter_map(|(node, number)| load_rule(node, number, &teams, &forges, &mut found));
    let rules: Vec<Rule> = rules.collect();
    let approvals = limited(root.get("approvals"), "approvals", MAX_RULES, &mut found);
    let approvals = approvals.iter().filter_map(|node| load_threshold(node, &mut found)).collect();
    let outputs = limited(root.get("outputs"), "outputs", MAX_RULES, &mut found);
    let outputs = Outputs::new(outputs.iter().filter_map(|node| load_output(node, &mut found)).collect());
    if found.is_empty() { Ok(AccessPolicy { forges, rules, approvals, outputs }) } else { Err(found) }
}

fn load_forges(node: Option<&Node>, found: &mut Vec<Finding>) -> Vec<PrincipalPattern> {
    let mut forges = Vec::new();
    for (text, item) in texts(node, "'forge'", found) {
        if text.starts_with(TEAM) {
            found.push(Finding::new(item.place.clone(), "a forge is no team").with_hint("write its principal"));
            continue;
        }
        forges.extend(load_principal(text, item, &[], found));
    }
    forges
}

/// A pattern of principals; one that names a forge itself is a fault.
fn load_principal(
    text: &str,
    item: &Node,
    forges: &[PrincipalPattern],
    found: &mut Vec<Finding>,
) -> Option<PrincipalPattern> {
    let mut reject = |finding| {
        found.push(finding);
        None
    };
    match PrincipalPattern::load(text) {
        Ok(pattern) if pattern.is_exact() && forges.iter().any(|forge| forge.matches(&[text.to_owned()])) => {
            let finding = Finding::new(item.place.clone(), format!("'{text}' is a forge, which no rule is for"));
            reject(finding.with_hint("its merges count by the rights of the people whose commits they bring"))
        }
        Ok(pattern) => Some(pattern),
        Err(reason) => reject(Finding::new(item.place.clone(), reason)),
    }
}

fn load_teams(node: Option<&Node>, forges: &[PrincipalPattern], found: &mut Vec<Finding>) -> Teams {
    let mut teams = Teams::new();
    for Entry { key, place, value } in node.and_then(Node::as_map).map_or(&[][..], Map::entries) {
        if !is_name(key) {
            found.push(Finding::new(place.clone(), format!("'{key}' is not a name of a team")));
        }
        let mut members = Vec::new();
        for (text, member) in texts(Some(value), &format!("the team '{key}'"), found) {
            if text.starts_with(TEAM) {
                found.push(Finding::new(member.place.clone(), "a team has no teams as members"));
                continue;
            }
            members.extend(load_principal(text, member, forges, found));
        }
        teams.insert(key.clone(), members);
    }
    teams
}

fn load_rule(
    node: &Node,
    number: usize,
    teams: &Teams,
    forges: &[PrincipalPattern],
    found: &mut Vec<Finding>,
) -> Option<Rule> {
    let before = found.len();
    let principals = load_principals(node.get("who"), teams, forges, found);
    let _ = texts(node.get("may"), "'may'", found);
    let paths = node.get("paths").map(|paths| load_paths(paths, found));
    check_bounds(node, found);
    if found.len() > before {
        return None;
    }
    let rule = match AccessRule::deserialize(node) {
        Ok(rule) => rule,
        Err(error) => {
            found.push(Finding::new(node.place.clone(), error.to_string()));
            return None;
        }
    };
    if let Some(paths) = node.get("paths")
        && !rule.may.iter().any(|verb| verb.is_about_paths())
    {
        let finding = Finding::new(paths.place.clone(), "'paths' says nothing about query and act");
        found.push(finding.with_hint("those are bounded by 'hosts' and 'collections'"));
    }
    let AccessRule { who, may, hosts, collections, .. } = rule;
    let bounds = Bounds { hosts, collections };
    if !bounds.are_none() && may.contains(&Verb::Approve) {
        let place = node.get("may").map_or(&node.place, |may| &may.place);
        let finding = Finding::new(place.clone(), "'approve' has no use with 'hosts' or 'collections'");
        found.push(finding.with_hint("grant it by a rule of its own"));
    }
    let name = RuleName { number, line: node.place.line };
    Some(Rule { name, who, may, paths, bounds, principals })
}

fn check_bounds(node: &Node, found: &mut Vec<Finding>) {
    if let Some(collections) = node.get("collections") {
        let _ = texts(Some(collections), "'collections'", found);
    }
    if let Some(hosts) = node.get("hosts") {
        match hosts.as_str().map(str::parse::<Selector>) {
            Some(Ok(_)) => {}
            Some(Err(error)) => found.push(Finding::new(hosts.place.clone(), error.to_string())),
            None => found.push(says_nothing(hosts, "'hosts'")),
        }
    }
}

fn load_principals(
    node: Option<&Node>,
    teams: &Teams,
    forges: &[PrincipalPattern],
    found: &mut Vec<Finding>,
) -> Vec<PrincipalPattern> {
    let mut principals = Vec::new();
    for (text, item) in texts(node, "'who'", found) {
        let Some(name) = text.strip_prefix(TEAM) else {
            principals.extend(load_principal(text, item, forges, found));
            continue;
        };
        match teams.get(name) {
            Some(members) => principals.extend(members.iter().cloned()),
            None => {
                let finding = Finding::new(item.place.clone(), format!("there is no team '{name}'"));
                found.push(match did_you_mean(name, teams.keys().map(AsRef::as_ref)) {
                    Some(hint) => finding.with_hint(hint),
                    None => finding.with_hint("teams stand below 'teams'"),
                });
            }
        }
    }
    principals
}

fn load_threshold(node: &Node, found: &mut Vec<Finding>) -> Option<ApprovalThreshold> {
    let before = found.len();
    let paths = node.get("paths").map(|paths| load_paths(paths, found)).unwrap_or_default();
    if found.len() > before {
        return None;
    }
    match ApprovalRule::deserialize(node) {
        Ok(ApprovalRule { needs, author_counts, .. }) => {
            let needs = usize::try_from(needs).unwrap_or(usize::MAX);
            Some(ApprovalThreshold { line: node.place.line, paths, needs, author_counts })
        }
        Err(error) => {
            found.push(Finding::new(node.place.clone(), error.to_string()));
            None
        }
    }
}

fn load_output(node: &Node, found: &mut Vec<Finding>) -> Option<Output> {
    let before = found.len();
    let paths = node.get("paths").map(|paths| load_paths(paths, found)).unwrap_or_default();
    check_bounds(node, found);
    if found.len() > before {
        return None;
    }
    let entry = match OutputRule::deserialize(node) {
        Ok(OutputRule { hosts, collections, .. }) => Ok(Bounds { hosts, collections }),
        Err(error) => Err(Finding::new(node.place.clone(), error.to_string())),
    };
    let says_all = || Finding::new(node.place.clone(), "an entry of 'outputs' needs 'hosts' or 'collections'");
    match entry {
        Ok(bounds) if bounds.are_none() => found.push(says_all()),
        Ok(bounds) => return Some(Output { line: node.place.line, paths, bounds }),
        Err(finding) => found.push(finding),
    }
    None
}

fn load_paths(node: &Node, found: &mut Vec<Finding>) -> Vec<PathPattern> {
    let mut patterns = Vec::new();
    for (text, item) in texts(Some(node), "'paths'", found) {
        match text.parse() {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => found.push(Finding::new(item.place.clone(), format!("{error}"))),
        }
    }
    patterns
}

/// The texts of a list, which has at least one: one that is there and empty is never what was meant.
fn texts<'a>(node: Option<&'a Node>, what: &str, found: &mut Vec<Finding>) -> Vec<(&'a str, &'a Node)> {
    let items = limited(node, what, MAX_ENTRIES, found);
    let is_empty = |node: &&Node| node.is_null() || node.as_list().is_some_and(<[Node]>::is_empty);
    if let Some(node) = node.filter(is_empty) {
        found.push(says_nothing(node, what));
    }
    items.iter().filter_map(|item| Some((item.as_str()?, item))).collect()
}

/// The items of a list; none of one with too many.
fn limited<'a>(node: Option<&'a Node>, what: &str, most: usize, found: &mut Vec<Finding>) -> &'a [Node] {
    let items = node.and_then(Node::as_list).unwrap_or_default();
    if let Some(node) = node.filter(|_| items.len() > most) {
        found.push(Finding::new(node.place.clone(), format!("{what} has more than {most} entries")));
        return &[];
    }
    items
}

fn says_nothing(node: &Node, what: &str) -> Finding {
    Finding::new(node.place.clone(), format!("{what} is empty")).with_hint("leave it out, or say what is meant")
}
