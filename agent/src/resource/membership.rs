//! Lists of members, seen from the group's side or from the user's.
//!
//! What is wanted of such a list: `a`, it holds a; `!a`, it does not; `=`, it holds nothing else, but for `?a`, which is
//! the other side's. So a list that is meant as "at least these" gives back what it added, and leaves alone what others
//! added.

use super::authorized_keys::unite_keys;
use super::{State, Value, Wanted};
use muster_schema::resource::{Existence, Membership, Resource, Spec};
use muster_schema::{Address, Collection};
use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(test)]
mod tests;

const ONLY: &str = "=";
const NOT: char = '!';
const MAY: char = '?';

/// What a specification asks for.
pub(super) fn wanted_members(names: Option<&Vec<String>>, membership: Option<Membership>) -> Option<Value> {
    let mut wanted = names?.clone();
    if membership == Some(Membership::Exact) {
        wanted.push(ONLY.to_owned());
    }
    Some(wanted.into())
}

/// The list that satisfies what is wanted, with as little change as possible.
pub(super) fn settled_members(wanted: &[String], observed: &[String]) -> Vec<String> {
    let only = wanted.iter().any(|name| name == ONLY);
    let refused: BTreeSet<&str> = wanted.iter().filter_map(|name| name.strip_prefix(NOT)).collect();
    let allowed: BTreeSet<&str> = wanted.iter().filter_map(|name| name.strip_prefix(MAY)).collect();
    let named = wanted.iter().filter(|name| *name != ONLY && !name.starts_with([NOT, MAY]));
    let stays = |name: &str| if only { allowed.contains(name) } else { !refused.contains(name) };
    let kept = observed.iter().filter(|name| stays(name));
    let settled: BTreeSet<String> = named.chain(kept).cloned().collect();
    settled.into_iter().collect()
}

/// What is to be asked for when a list of `names` gives way to `next`, or to nothing, and `original` was found
/// before it: what it added goes, what it removed comes back. `None`: nothing beside `next`.
pub(super) fn give_way(
    names: &[String],
    membership: Option<Membership>,
    next: Option<&Value>,
    original: Option<&Value>,
) -> Option<Value> {
    let original = original?.list()?;
    let exact = membership == Some(Membership::Exact);
    let Some(next) = next.and_then(Value::list) else {
        let mut back: Vec<String> =
            if exact { original.iter().cloned().chain([ONLY.to_owned()]).collect() } else { Vec::new() };
        if !exact {
            back.extend(names.iter().map(|name| if original.contains(name) { name.clone() } else { not(name) }));
        }
        return Some(back.into());
    };
    if next.iter().any(|name| name == ONLY) {
        return None;
    }
    let added = names.iter().filter(|name| !next.contains(name) && !original.contains(name)).map(|name| not(name));
    let removed = original.iter().filter(|name| exact && !names.contains(name)).cloned();
    let extra: Vec<String> = added.chain(removed).collect();
    (!extra.is_empty()).then(|| next.iter().cloned().chain(extra).collect::<Vec<_>>().into())
}

/// What is wanted when the other side of the membership asks for `others` too: none of them is refused, also where
/// nothing else is to be there. The other side adds them, for it takes them away one day.
fn unite(wanted: &[String], others: &[&str]) -> Vec<String> {
    let refused = |name: &String| name.strip_prefix(NOT).is_some_and(|name| others.contains(&name));
    let only = wanted.iter().any(|name| name == ONLY);
    let allowed = others.iter().filter(|_| only).map(|name| format!("{MAY}{name}"));
    wanted.iter().filter(|name| !refused(name)).cloned().chain(allowed).collect()
}

/// Lets the list of a group and that of a user agree: what one of them asks for, the other does not take away. The same
/// for lists of keys.
pub(crate) fn unite_memberships(
    resource: &Resource,
    wanted: &mut Wanted,
    resources: &[Arc<Resource>],
    is_in_force: impl Fn(&Resource) -> bool,
) {
    let name = match &resource.spec {
        Spec::Group(_) => "members",
        Spec::User(_) => "groups",
        Spec::AuthorizedKeys(spec) => return unite_keys(spec, resource.address.id(), wanted, resources, is_in_force),
        _ => return,
    };
    let State::Present(attributes) = &mut wanted.state else { return };
    let Some(Value::List(list)) = attributes.get_mut(name) else { return };
    if !list.iter().any(|name| name == ONLY || name.starts_with(NOT)) {
        return;
    }
    let id = resource.address.id();
    let names_it = |list: Option<&Vec<String>>| list.is_some_and(|list| list.iter().any(|name| name == id));
    let other_side = resources.iter().filter(|other| {
        other.meta.state != Existence::Absent
            && match (&resource.spec, &other.spec) {
                (Spec::Group(_), Spec::User(user)) => names_it(user.groups.as_ref()),
                (Spec::User(_), Spec::Group(group)) => names_it(group.members.as_ref()),
                _ => false,
            }
    });
    let others: Vec<&str> = other_side.map(|other| other.address.id()).collect();
    *list = unite(list, &others);
}

/// What was found of a list, without users and groups that we made: they go some day, and what they belong to with them.
pub(crate) fn without_made(resource: &Resource, mut found: State, made: impl Fn(&Address) -> bool) -> State {
    let (name, other) = match resource.address.collection() {
        Collection::Groups => ("members", Collection::Users),
        Collection::Users => ("groups", Collection::Groups),
        _ => return found,
    };
    if let State::Present(attributes) = &mut found
        && let Some(Value::List(list)) = attributes.get_mut(name)
    {
        list.retain(|one| !Address::new(other, one).is_ok_and(|address| made(&address)));
    }
    found
}

fn not(name: &str) -> String {
    format!("{NOT}{name}")
}
