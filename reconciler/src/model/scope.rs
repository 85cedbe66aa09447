//! Which environments a faulty document holds back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fleet::{ModelData, Profile};
use super::node::Entry;
use super::{Finding, Node, Scope};

/// Gives each finding the scope that follows from its file: an environment is held back
/// by its own documents and by those that it uses.
pub(super) fn assign_scopes(model: &ModelData, profiles: &[Profile], found: Vec<Finding>) -> Vec<Finding> {
    let users = users_of_applications(model);
    let mut scopes: BTreeMap<Arc<str>, Scope> = BTreeMap::new();
    let scoped = found.into_iter().map(|finding| {
        let file = finding.place.file.clone();
        let scope = scopes.entry(file).or_insert_with_key(|file| {
            let parts: Vec<&str> = file.split('/').collect();
            match parts.as_slice() {
                ["environments", environment, _, ..] => Scope::Environments([(*environment).to_owned()].into()),
                ["applications", name, _, ..] => Scope::Environments(users.get(*name).cloned().unwrap_or_default()),
                // A machine that cannot enrol holds nobody up.
                ["enrolment", ..] => Scope::Environments(BTreeSet::new()),
                ["extensions", file] => Scope::Environments(users_of_extension(model, &users, file)),
                ["profiles", _] => Scope::Environments(users_of_profile(model, profiles, file)),
                _ => Scope::Fleet,
            }
        });
        let scope = scope.clone();
        finding.with_scope(scope)
    });
    scoped.collect()
}

/// Environments with a host that a profile of the fleet selects; all, where its selector cannot be told.
fn users_of_profile(model: &ModelData, profiles: &[Profile], file: &str) -> BTreeSet<String> {
    let profile = profiles.iter().find(|profile| profile.place.file.as_ref() == file);
    let Some(selector) = profile.and_then(|profile| profile.selector.as_ref()) else {
        return model.environments.iter().map(ToString::to_string).collect();
    };
    let selected = model.hosts.values().filter(|host| selector.selects(&host.labels));
    selected.map(|host| host.environment.to_string()).collect()
}

/// Environments with a resource of a declared collection, in a layer or in an application that a host there has.
fn users_of_extension(
    model: &ModelData,
    users_of_applications: &BTreeMap<Arc<str>, BTreeSet<String>>,
    file: &str,
) -> BTreeSet<String> {
    let name = file.strip_suffix(".yaml").unwrap_or(file);
    let names_it = |resources: &Node| resources.get(name).is_some();
    let applications = model.applications.values().filter(|application| names_it(&application.resources));
    let by_application = applications.filter_map(|application| users_of_applications.get(&application.name)).flatten();
    let hosts = model.hosts.values();
    let by_layer = hosts.filter(|host| names_it(&host.base.resources) || names_it(&host.layer.resources));
    by_application.cloned().chain(by_layer.map(|host| host.environment.to_string())).collect()
}

/// The environments in which a host has each application.
fn users_of_applications(model: &ModelData) -> BTreeMap<Arc<str>, BTreeSet<String>> {
    let mut users: BTreeMap<Arc<str>, BTreeSet<String>> = BTreeMap::new();
    let mut last = None;
    for host in model.hosts.values() {
        let environment = host.environment.to_string();
        let own = host.layer.assignments.as_map().is_some_and(|map| !map.entries().is_empty());
        // Hosts with one base and no assignments of their own need one look.
        let same = last.as_ref().is_some_and(|base| Arc::ptr_eq(base, &host.base));
        let trees: &[&Node] = match (same, own) {
            (true, false) => &[],
            (true, true) => &[&host.layer.assignments],
            (false, _) => &[&host.base.assignments, &host.layer.assignments],
        };
        for tree in trees {
            for entry in tree.as_map().map_or(&[][..], |map| map.entries()) {
                users.entry(application_of(entry)).or_default().insert(environment.clone());
            }
        }
        last = Some(host.base.clone());
    }
    users
}

/// The application that an assignment names: by `use`, or by the instance's own name.
pub(crate) fn application_of(assignment: &Entry) -> Arc<str> {
    let used = assignment.value.get("use").and_then(Node::as_str);
    used.map_or_else(|| assignment.key.clone(), Arc::from)
}
