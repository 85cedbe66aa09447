//! Packages, by Debian's tools.
//!
//! `latest` holds the installed version when it is observed and `true` when it is asked for; so its original is the
//! version to go back to.

use super::{Batch, Change, Hands, Patience, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::provider::apt::{PackageDatabase, PackageName, STATUS_FILE, Upgradable, compare_versions, matches_version};
use muster_schema::resource::{Existence, PackageSpec};
use std::borrow::Cow;

mod apply;
#[cfg(test)]
mod tests;

const VERSION: &str = "version";
const HOLD: &str = "hold";
const LATEST: &str = "latest";
const UPGRADABLE: &str = "upgradable";
const PROVIDED_BY: &str = "provided_by";

impl ResourceType for PackageSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let wanted = match existence {
            Existence::Absent => return Wanted::absent(),
            Existence::Present => Wanted::default(),
            Existence::Latest => Wanted::default().with(LATEST, Some(true)),
        };
        wanted.with(VERSION, self.version.clone()).with(HOLD, self.hold)
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        check_name(id)?;
        let database = view.once(|view| PackageDatabase::load(view.reader().as_mut()))?;
        if database.is_empty() {
            return Err(ResourceError::Failed(
                "this host has no dpkg, and no other package manager is known".to_owned(),
            ));
        }
        Ok(match (database.get(id), database.providers(id)) {
            (Some(found), _) => State::present([(VERSION, found.version.clone().into()), (HOLD, found.hold.into())]),
            (None, []) => State::Absent,
            (None, providers) => State::present([(PROVIDED_BY, providers.to_vec().into())]),
        })
    }

    fn observe_latest(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let mut state = self.observe(id, view)?;
        if let State::Present(attributes) = &mut state
            && let Some(version) = attributes.get(VERSION).cloned()
        {
            let upgradable = view.once(|view| Upgradable::load(view.host()))?;
            attributes.insert(Cow::Borrowed(LATEST), version);
            attributes.insert(Cow::Borrowed(UPGRADABLE), upgradable.contains(id).into());
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if let Some(providers) = observed.get(PROVIDED_BY) {
            return diff_virtual(wanted, observed, providers);
        }
        let is_newest = observed.get(UPGRADABLE).and_then(Value::bool) == Some(false);
        let satisfies = |name: &str, wanted: &Value, observed: &Value| match (name, wanted.text(), observed.text()) {
            (VERSION | LATEST, Some(wanted), Some(observed)) => matches_version(wanted, observed),
            (LATEST, None, _) => is_newest,
            _ => wanted == observed,
        };
        let Some(mut change) = change::diff_attributes(wanted, observed, satisfies) else { return Ok(None) };
        let (Some(down), State::Present(attributes)) = (forbidden_descent(self, &change), &mut change.after) else {
            return Ok(Some(change));
        };
        if asks_for(self, &down) {
            return Err(ResourceError::Blocked(format!("{down} is older, and allow_downgrade is not set")));
        }
        // An upgrade that cannot be undone stays; what else there is goes back.
        attributes.retain(|name, _| name != VERSION && name != LATEST);
        if attributes.is_empty() {
            return Err(ResourceError::Retained(format!("going back to {down} needs allow_downgrade")));
        }
        if let State::Present(before) = &mut change.before {
            before.retain(|name, _| name != VERSION && name != LATEST);
        }
        Ok(Some(change))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let mut answers = apply::apply_packages(&[(id, self, change)], hands);
        answers.pop().unwrap_or(Ok(()))
    }

    fn batch(&self) -> Option<Batch> {
        Some(apply::apply_batch)
    }

    fn patience(&self) -> Patience {
        Patience::Installation
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        HostPath::new(STATUS_FILE).into_iter().collect()
    }
}

/// A virtual package is there as long as something provides it. It has no version and cannot be held.
fn diff_virtual(wanted: &Wanted, observed: &State, providers: &Value) -> Result<Option<Change>, ResourceError> {
    match &wanted.state {
        State::Absent => Ok(Some(Change { before: observed.clone(), after: State::Absent })),
        State::Present(asked) if asked.contains_key(VERSION) || asked.contains_key(HOLD) => {
            Err(ResourceError::Blocked(format!("it is a virtual package, provided by {providers}; name that one")))
        }
        State::Present(_) => Ok(None),
    }
}

/// The older version that the change leads to, if that is not allowed. Whether a prefix leads down, apt tells.
fn forbidden_descent(spec: &PackageSpec, change: &Change) -> Option<String> {
    let goal = goal_of(change).and_then(Value::text)?;
    let now = change.before.get(VERSION).or_else(|| change.before.get(LATEST)).and_then(Value::text)?;
    let down = !goal.ends_with('*') && compare_versions(goal, now).is_lt();
    (down && spec.allow_downgrade != Some(true)).then(|| goal.to_owned())
}

/// The version to reach: a text, or `true` for the newest.
fn goal_of(change: &Change) -> Option<&Value> {
    change.after(VERSION).or_else(|| change.after(LATEST))
}

/// Whether the specification itself names this version; else it is one to go back to.
fn asks_for(spec: &PackageSpec, version: &str) -> bool {
    spec.version.as_deref() == Some(version)
}

fn check_name(id: &str) -> Result<PackageName, ResourceError> {
    PackageName::new(id).map_err(|error| ResourceError::Blocked(error.to_string()))
}
