//! What is to be done at a broker, from what it has and what it is to have.

use std::collections::{BTreeMap, BTreeSet};

use super::definitions::{Definitions, Permission, TopicPermission, User};

/// What is to be done, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Users to remove: of hosts that left; and those that come anew, because somebody gave them more than they are to
    /// have, or because their password is another one.
    pub remove: BTreeSet<String>,
    /// What is to be imported: all that is missing or differs.
    pub import: Definitions,
}

impl Changes {
    /// Whether all is as it is to be.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.import == Definitions::default()
    }

    /// Users that go for good.
    pub fn gone(&self) -> impl Iterator<Item = &String> {
        self.remove.iter().filter(|name| !self.import.users.iter().any(|user| user.name == **name))
    }
}

/// A user of the name is there and is not ours: it has not the fleet's tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker has a user '{0}' that muster did not make\n  hint: remove or rename it, then try again")]
pub struct ForeignUser(pub String);

/// What brings the broker from `current` to `wanted`. Users are ours that have the tag; all others stay as they are.
///
/// # Errors
/// When a user of a name that we need is not ours.
pub fn plan_changes(current: &Definitions, wanted: &Definitions, tag: &str) -> Result<Changes, ForeignUser> {
    let is_ours = |user: &User| user.tags.0.iter().any(|held| held == tag);
    let hashes: BTreeMap<&str, &str> =
        wanted.users.iter().map(|user| (user.name.as_str(), user.password_hash.as_str())).collect();
    let foreign = current.users.iter().find(|user| hashes.contains_key(user.name.as_str()) && !is_ours(user));
    if let Some(foreign) = foreign {
        return Err(ForeignUser(foreign.name.clone()));
    }
    let rights: BTreeSet<_> = wanted.permissions.iter().map(permission_key).collect();
    let topics: BTreeSet<_> = wanted.topic_permissions.iter().map(topic_key).collect();
    let surplus = current.permissions.iter().filter(|held| !rights.contains(&permission_key(held)));
    let surplus = surplus.map(|held| held.user.as_str());
    let topic_surplus = current.topic_permissions.iter().filter(|held| !topics.contains(&topic_key(held)));
    let has_more: BTreeSet<&str> = surplus.chain(topic_surplus.map(|held| held.user.as_str())).collect();
    // A broker keeps the connections of a password that was changed; those of a user that is removed it closes.
    let is_to_go = |user: &&User| {
        let hash = hashes.get(user.name.as_str());
        hash.is_none_or(|hash| *hash != user.password_hash) || has_more.contains(user.name.as_str())
    };
    let ours = current.users.iter().filter(|user| is_ours(user));
    let remove: BTreeSet<String> = ours.filter(is_to_go).map(|user| user.name.clone()).collect();
    let import = Definitions {
        vhosts: missing(&wanted.vhosts, &current.vhosts, |vhost| &vhost.name, |_| false),
        users: missing(&wanted.users, &current.users, |user| &user.name, |user| remove.contains(&user.name)),
        permissions: missing(&wanted.permissions, &current.permissions, permission_key, |held| {
            remove.contains(&held.user)
        }),
        topic_permissions: missing(&wanted.topic_permissions, &current.topic_permissions, topic_key, |held| {
            remove.contains(&held.user)
        }),
        policies: missing(&wanted.policies, &current.policies, |policy| (&policy.vhost, &policy.name), |_| false),
    };
    Ok(Changes { remove, import })
}

fn permission_key(held: &Permission) -> (&str, &str) {
    (&held.user, &held.vhost)
}

fn topic_key(held: &TopicPermission) -> (&str, &str, &str) {
    (&held.user, &held.vhost, &held.exchange)
}

/// Those of `wanted` that are not just so in `current`, and those that are to be imported anyway.
fn missing<'a, T: Clone + PartialEq, K: Ord>(
    wanted: &'a [T],
    current: &'a [T],
    key: impl Fn(&'a T) -> K,
    anyway: impl Fn(&T) -> bool,
) -> Vec<T> {
    let held: BTreeMap<K, &T> = current.iter().map(|item| (key(item), item)).collect();
    wanted.iter().filter(|want| anyway(want) || held.get(&key(want)) != Some(want)).cloned().collect()
}
