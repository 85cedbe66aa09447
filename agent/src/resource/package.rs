//! Packages, by whichever manager the host has.
//!
//! `latest` holds the installed version when it is observed and `true` when it is asked for. Who asks for it asks for
//! whichever `version` that is: so `version` alone says what there is to go back to.

use super::listing::Listing;
use super::{Batch, Change, Hands, Patience, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::provider::package::{
    NoManager, PackageDatabase, PackageError, PackageManager, PackageName, PackageOptions, VersionDemand, all_managers,
    choose_manager,
};
use muster_schema::Collection;
use muster_schema::resource::{Conffiles, Existence, PackageSpec};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

mod apply;
mod foresee;
#[cfg(test)]
mod tests;

/// Which manager the host has: versions compare by its rules.
const MANAGER: &str = "manager";
const VERSION: &str = "version";
const HOLD: &str = "hold";
const LATEST: &str = "latest";
const UPGRADABLE: &str = "upgradable";
const PROVIDED_BY: &str = "provided_by";

/// The manager of the host, and what it has installed: read once in a pass.
struct Packages {
    manager: &'static dyn PackageManager,
    database: PackageDatabase,
}

/// What can be had newer than it is: asked once in a pass.
struct Upgradable(BTreeSet<String>);

impl ResourceType for PackageSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let wanted = match existence {
            Existence::Absent => return Wanted::absent(),
            Existence::Present => Wanted::default(),
            Existence::Latest => Wanted::default().with(LATEST, Some(true)).with(VERSION, Some(Value::Nothing)),
        };
        // What a package of ours goes back to when nobody asks for its hold any more.
        wanted.with(VERSION, self.version.clone()).with(HOLD, self.hold).or_on_creation(HOLD, false)
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let packages = load_packages(view)?;
        let name = name_of(id, self, packages.manager)?;
        check_abilities(self, packages.manager, view)?;
        let (database, manager) = (&packages.database, packages.manager.name());
        Ok(match (database.get(name.as_str()), database.providers(id)) {
            (Some(found), _) => State::present([
                (VERSION, found.version.clone().into()),
                (HOLD, found.hold.into()),
                (MANAGER, manager.into()),
            ]),
            (None, []) => State::Absent,
            (None, providers) => State::present([(PROVIDED_BY, providers.to_vec().into())]),
        })
    }

    fn observe_latest(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let mut state = self.observe(id, view)?;
        if let State::Present(attributes) = &mut state
            && let Some(version) = attributes.get(VERSION).cloned()
        {
            let manager = load_packages(view)?.manager;
            let load = |view: &View<'_>| manager.load_upgradable(view.host()).map(Upgradable);
            let upgradable = view.once(load).map_err(refuse)?;
            let name = name_of(id, self, manager)?;
            attributes.insert(Cow::Borrowed(LATEST), version);
            attributes.insert(Cow::Borrowed(UPGRADABLE), upgradable.0.contains(name.as_str()).into());
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if let Some(providers) = observed.get(PROVIDED_BY) {
            return diff_virtual(wanted, observed, providers);
        }
        let manager = manager_of(observed);
        let is_newest = observed.get(UPGRADABLE).and_then(Value::bool) == Some(false);
        let satisfies = |name: &str, wanted: &Value, observed: &Value| match (name, wanted.text(), observed.text()) {
            (VERSION | LATEST, Some(wanted), Some(found)) => VersionDemand::new(wanted).is_met(found, manager),
            (LATEST, None, _) => is_newest,
            (VERSION, None, _) => true,
            _ => wanted == observed,
        };
        let Some(mut change) = change::diff_attributes(wanted, observed, satisfies) else { return Ok(None) };
        let (Some(down), State::Present(attributes)) = (forbidden_descent(self, &change, manager), &mut change.after)
        else {
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

    fn give_way(&self, name: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        if name == LATEST { None } else { super::keep_or_restore(next, original) }
    }

    fn foresee(&self, id: &str, change: &Change, view: &View<'_>) -> Option<String> {
        foresee::foresee(self, id, change, view)
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

    fn is_risky(&self, id: &str) -> bool {
        id == "muster-agent"
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        let databases = all_managers().into_iter().flat_map(|manager| manager.signs().databases);
        databases.filter_map(|path| HostPath::new(path).ok()).collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_packages)
    }
}

fn list_packages(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    Ok(load_packages(view)?.database.names().map(str::to_owned).collect())
}

/// A virtual package is there as long as something provides it. It has no version and cannot be held.
fn diff_virtual(wanted: &Wanted, observed: &State, providers: &Value) -> Result<Option<Change>, ResourceError> {
    match &wanted.state {
        State::Absent => Ok(Some(Change { before: observed.clone(), after: State::Absent })),
        State::Present(asked)
            if asked.get(VERSION).is_some_and(|version| version.text().is_some()) || asked.contains_key(HOLD) =>
        {
            Err(ResourceError::Blocked(format!("it is a virtual package, provided by {providers}; name that one")))
        }
        State::Present(_) => Ok(None),
    }
}

/// The older version that the change leads to, if that is not allowed. Whether a prefix or a range leads down, the
/// simulation tells.
fn forbidden_descent(spec: &PackageSpec, change: &Change, manager: &dyn PackageManager) -> Option<String> {
    let goal = goal_of(change).and_then(Value::text)?;
    let now = change.before.get(VERSION).or_else(|| change.before.get(LATEST)).and_then(Value::text)?;
    let demand = VersionDemand::new(goal);
    let down = demand.exact().is_some_and(|goal| manager.compare_wanted(goal, now).is_lt());
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

/// The host's manager and what is installed.
fn load_packages(view: &View<'_>) -> Result<Rc<Packages>, ResourceError> {
    view.once(|view| {
        let manager = choose_manager(view.reader().as_mut()).map_err(no_manager)?;
        let names = view.ids(Collection::Packages);
        let database = manager.load_database(view.host(), view.reader().as_mut(), names).map_err(refuse)?;
        Ok(Packages { manager, database })
    })
}

fn no_manager(error: NoManager) -> ResourceError {
    match error {
        NoManager::None => ResourceError::Failed(error.to_string()),
        NoManager::Host(error) => ResourceError::Host(error),
        NoManager::Database(error) => refuse(error),
    }
}

fn refuse(error: PackageError) -> ResourceError {
    match error {
        PackageError::Refused(reason) => ResourceError::Blocked(reason),
        PackageError::Host(error) => ResourceError::Host(error),
        other => ResourceError::Failed(other.to_string()),
    }
}

/// The manager that the state was read from. What was written down by agents that knew one only is of that one.
fn manager_of(observed: &State) -> &'static dyn PackageManager {
    let [first, ..] = all_managers();
    let name = observed.get(MANAGER).and_then(Value::text);
    all_managers().into_iter().find(|manager| Some(manager.name()) == name).unwrap_or(first)
}

/// The package's name with its architecture, where one is asked for.
fn name_of(id: &str, spec: &PackageSpec, manager: &dyn PackageManager) -> Result<PackageName, ResourceError> {
    let full = match &spec.arch {
        Some(arch) if !id.contains(':') => Cow::Owned(format!("{id}:{arch}")),
        _ => Cow::Borrowed(id),
    };
    let name = PackageName::new(&full).and_then(|name| manager.check_name(&name).map(|()| name));
    name.map_err(|error| ResourceError::Blocked(error.to_string()))
}

fn options_of(spec: &PackageSpec) -> PackageOptions {
    PackageOptions {
        no_recommends: spec.no_recommends == Some(true),
        replace_conffiles: spec.conffiles == Some(Conffiles::Replace),
        release: spec.release.clone(),
    }
}

/// Refuses what this host's manager cannot do, before anything is done.
fn check_abilities(spec: &PackageSpec, manager: &dyn PackageManager, view: &View<'_>) -> Result<(), ResourceError> {
    let lacks_hold = match spec.hold {
        Some(_) => manager.lacks_hold(view.reader().as_mut())?,
        None => None,
    };
    match manager.lacks(&options_of(spec)).or(lacks_hold) {
        Some(lack) => Err(ResourceError::Blocked(format!("{} {lack}", manager.name()))),
        None => Ok(()),
    }
}
