//! Keys that may log in as a user.
//!
//! `keys` are whole lines, so that a comment comes back with its key; they are compared without it. What is wanted of
//! them is written as for members: `line`, it is there; `!line`, it is not; `=`, nothing else is.

use super::listing::Listing;
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, system_text};
use crate::host::{HostPath, Login, Scope};
use muster_schema::resource::{AuthorizedKey, AuthorizedKeysSpec, Existence, Resource, Spec, entry_of};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

mod apply;
#[cfg(test)]
mod tests;

const KEYS: &str = "keys";
/// An agent ended while it took away what it had made for the keys.
const HALF_REMOVED: &str = "half_removed";
const ONLY: &str = "=";
const NOT: char = '!';

impl ResourceType for AuthorizedKeysSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let lines = self.keys.iter().flatten().map(AuthorizedKey::line);
        let mut wanted: Vec<String> = match existence {
            Existence::Absent => lines.map(|line| not(&line)).collect(),
            Existence::Present | Existence::Latest => lines.collect(),
        };
        if self.exclusive == Some(true) && existence != Existence::Absent {
            wanted.push(ONLY.to_owned());
        }
        Wanted::default().with(KEYS, Some(wanted))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let accounts = view.accounts()?;
        let user = self.user.as_deref().unwrap_or(id);
        // The user may be made before the keys are.
        let Some(login) = accounts.login(user) else { return Ok(State::present([(KEYS, Vec::new().into())])) };
        let paths = paths_of(login)?;
        let text = system_text::load_text(&paths.file, view.reader().as_mut())?.unwrap_or_default();
        let lines: Vec<String> = lines_of(&text).map(str::to_owned).collect();
        let mut state = State::present([(KEYS, lines.into())]);
        if let (true, State::Present(attributes)) = (apply::is_half_removed(user, &paths, view)?, &mut state) {
            attributes.insert(Cow::Borrowed(HALF_REMOVED), true.into());
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let list = |state: &State| state.get(KEYS).and_then(Value::list).unwrap_or_default().to_vec();
        let (found, wanted) = (list(observed), list(&wanted.state));
        let settled: Value = settled_lines(&wanted, &found).into();
        let found: Value = found.into();
        if settled == found && observed.get(HALF_REMOVED).is_none() {
            return Ok(None);
        }
        Ok(Some(Change { before: State::present([(KEYS, found)]), after: State::present([(KEYS, settled)]) }))
    }

    fn give_way(&self, _: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        let original = original?.list()?;
        let exclusive = self.exclusive == Some(true);
        let own: Vec<String> = self.keys.iter().flatten().map(AuthorizedKey::line).collect();
        let Some(next) = next.and_then(Value::list) else {
            let mut back: Vec<String> =
                if exclusive { original.iter().cloned().chain([ONLY.to_owned()]).collect() } else { Vec::new() };
            if !exclusive {
                let found = |line: &String| original.iter().find(|found| identity(found) == identity(line)).cloned();
                back.extend(own.iter().map(|line| found(line).unwrap_or_else(|| not(line))));
            }
            return Some(back.into());
        };
        if next.iter().any(|line| line == ONLY) {
            return None;
        }
        let added = own.iter().filter(|line| !holds(next, line) && !holds(original, line)).map(|line| not(line));
        let removed = original.iter().filter(|line| exclusive && !holds(&own, line)).cloned();
        let extra: Vec<String> = added.chain(removed).collect();
        (!extra.is_empty()).then(|| next.iter().cloned().chain(extra).collect::<Vec<_>>().into())
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        apply::change_keys(self, change, hands)
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        // Where homes usually are; the sweep finds the others.
        let home = match self.user.as_deref() {
            Some("root") => "/root".to_owned(),
            Some(user) => format!("/home/{user}"),
            None => return Vec::new(),
        };
        HostPath::new(&format!("{home}/.ssh/authorized_keys")).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_users_with_keys)
    }
}

/// Those users that have keys; what is managed may have other names.
fn list_users_with_keys(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let accounts = view.accounts()?;
    let mut users = Vec::new();
    for (name, login) in accounts.logins() {
        let Ok(paths) = paths_of(login) else { continue };
        // In a home that cannot be read there are none that could be told.
        let text = system_text::load_text(&paths.file, view.reader().as_mut()).unwrap_or_default().unwrap_or_default();
        if lines_of(&text).next().is_some() {
            users.push(name.to_owned());
        }
    }
    Ok(users)
}

/// Lets the resources of one user agree: what one of them asks for, another does not take away.
pub(super) fn unite_keys(spec: &AuthorizedKeysSpec, id: &str, wanted: &mut Wanted, resources: &[Arc<Resource>]) {
    let State::Present(attributes) = &mut wanted.state else { return };
    let Some(Value::List(list)) = attributes.get_mut(KEYS) else { return };
    let others = resources.iter().filter(|other| other.meta.state != Existence::Absent && other.address.id() != id);
    let lines: Vec<String> = others
        .filter_map(|other| match &other.spec {
            Spec::AuthorizedKeys(other) if other.user == spec.user => other.keys.as_ref(),
            _ => None,
        })
        .flatten()
        .map(AuthorizedKey::line)
        .collect();
    list.retain(|line| line.strip_prefix(NOT).is_none_or(|line| !holds(&lines, line)));
    if list.iter().any(|line| line == ONLY) {
        let missing: Vec<String> = lines.into_iter().filter(|line| !holds(list, line)).collect();
        list.extend(missing);
        list.sort_unstable();
        list.dedup();
    }
}

/// The folder and the file of a user.
struct KeyPaths {
    home: HostPath,
    folder: HostPath,
    file: HostPath,
}

fn paths_of(login: &Login) -> Result<KeyPaths, ResourceError> {
    let home = login.home.trim_end_matches('/');
    if home.is_empty() {
        return Err(ResourceError::Blocked("the user has no home of its own".to_owned()));
    }
    let path = |path: &str| HostPath::new(path).map_err(|error| ResourceError::Blocked(error.to_string()));
    let folder = format!("{home}/.ssh");
    Ok(KeyPaths { home: path(home)?, file: path(&format!("{folder}/authorized_keys"))?, folder: path(&folder)? })
}

/// The entries of a file. What begins like a mark of ours is none to sshd either.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', NOT]) && *line != ONLY)
}

/// What makes two lines the same entry.
fn identity(line: &str) -> String {
    entry_of(line).unwrap_or_else(|| line.to_owned())
}

fn holds(lines: &[String], line: &str) -> bool {
    let sought = identity(line);
    lines.iter().any(|line| identity(line) == sought)
}

/// The lines that satisfy what is wanted, with as little change as possible.
fn settled_lines(wanted: &[String], found: &[String]) -> Vec<String> {
    let only = wanted.iter().any(|line| line == ONLY);
    let refused: BTreeSet<String> = wanted.iter().filter_map(|line| line.strip_prefix(NOT)).map(identity).collect();
    let named: Vec<String> = wanted.iter().filter(|line| *line != ONLY && !line.starts_with(NOT)).cloned().collect();
    let stays = |line: &&String| holds(&named, line) || (!only && !refused.contains(&identity(line)));
    let mut settled: Vec<String> = found.iter().filter(stays).cloned().collect();
    for line in named {
        if !holds(&settled, &line) {
            settled.push(line);
        }
    }
    settled
}

fn not(line: &str) -> String {
    format!("{NOT}{line}")
}
