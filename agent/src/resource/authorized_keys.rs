//! Keys that may log in as a user.
//!
//! `keys` are the lines of the file, in their order, so that a comment comes back with its key; entries are compared
//! without it. What is wanted of them is written as for members: `line`, it is there; `!line`, it is not; `=`, nothing
//! else is, but for `?line`, which is another list's; `<line`, it is back, to the letter and in its place; `~line`, such
//! places are before or behind it.
//!
//! Several lists of one user share its file. Each of them has found what there was before all of them, however they
//! came; see [`ResourceType::shares_place`].

use super::listing::Listing;
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, system_text};
use crate::host::{HostPath, Login, Scope};
use muster_schema::resource::{AuthorizedKeysSpec, Existence, Resource, Spec, entry_of};
use std::borrow::Cow;
use std::sync::Arc;

mod apply;
#[cfg(test)]
mod tests;

const KEYS: &str = "keys";
/// An agent ended while it took away what it had made for the keys.
const HALF_REMOVED: &str = "half_removed";
const ONLY: &str = "=";
const NOT: char = '!';
const MAY: char = '?';
const BACK: char = '<';
const BESIDE: char = '~';
const MARKS: [char; 4] = [NOT, MAY, BACK, BESIDE];

impl ResourceType for AuthorizedKeysSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let lines = self.lines();
        let mut wanted: Vec<String> = match existence {
            Existence::Absent => lines.map(|line| mark(NOT, &line)).collect(),
            Existence::Present | Existence::Latest => lines.collect(),
        };
        if self.exclusive == Some(true) && existence != Existence::Absent {
            wanted.push(ONLY.to_owned());
        }
        Wanted::default().with(KEYS, Some(Value::List(wanted)))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let accounts = view.accounts()?;
        let user = self.user.as_deref().unwrap_or(id);
        // The user may be made before the keys are.
        let Some(login) = accounts.login(user) else { return Ok(State::present([(KEYS, Value::List(Vec::new()))])) };
        let paths = paths_of(login)?;
        let text = system_text::load_text(&paths.file, view.reader().as_mut())?.unwrap_or_default();
        let lines: Vec<String> = lines_of(&text).map(str::to_owned).collect();
        let mut state = State::present([(KEYS, Value::List(lines))]);
        if let (true, State::Present(attributes)) = (apply::is_half_removed(user, &paths, view)?, &mut state) {
            attributes.insert(Cow::Borrowed(HALF_REMOVED), true.into());
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let list = |state: &State| state.get(KEYS).and_then(Value::list).unwrap_or_default().to_vec();
        let (found, wanted) = (list(observed), list(&wanted.state));
        let (settled, found) = (Value::List(settled_lines(&wanted, &found)), Value::List(found));
        if settled == found && observed.get(HALF_REMOVED).is_none() {
            return Ok(None);
        }
        Ok(Some(Change { before: State::present([(KEYS, found)]), after: State::present([(KEYS, settled)]) }))
    }

    fn give_way(&self, _: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        let original = original?.list()?;
        let own: Vec<String> = self.lines().collect();
        let added = own.iter().filter(|line| !holds(original, line)).map(|line| mark(NOT, line));
        let is_back = |line: &str| is_entry(line) && (self.exclusive == Some(true) || holds(&own, line));
        let back = original.iter().map(|line| mark(if is_back(line) { BACK } else { BESIDE }, line));
        let back = added.chain(back);
        let Some(next) = next.and_then(Value::list) else { return Some(Value::List(back.collect())) };
        if next.iter().any(|line| line == ONLY) {
            return None;
        }
        let said: Vec<String> = next.iter().map(|line| line.trim_start_matches(NOT).to_owned()).collect();
        let extra = back.filter_map(|line| match line.strip_prefix(BACK) {
            Some(found) if holds(&said, found) => Some(mark(BESIDE, found)),
            Some(_) => Some(line),
            None => Some(line).filter(|line| !line.strip_prefix(NOT).is_some_and(|line| holds(&said, line))),
        });
        let extra: Vec<String> = extra.collect();
        let is_more = extra.iter().any(|line| line.starts_with([NOT, BACK]));
        is_more.then(|| Value::List(next.iter().cloned().chain(extra).collect()))
    }

    fn shares_place(&self) -> bool {
        true
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
        if lines_of(&text).any(is_entry) {
            users.push(name.to_owned());
        }
    }
    Ok(users)
}

/// Lets the lists of one user agree that are in force: what one of them asks for, another does not take away, and what
/// one of them refuses does not come back with another.
pub(super) fn unite_keys(
    spec: &AuthorizedKeysSpec,
    id: &str,
    wanted: &mut Wanted,
    resources: &[Arc<Resource>],
    is_in_force: impl Fn(&Resource) -> bool,
) {
    let State::Present(attributes) = &mut wanted.state else { return };
    let Some(Value::List(list)) = attributes.get_mut(KEYS) else { return };
    let (mut lines, mut refused, mut is_only) = (Vec::new(), Vec::new(), false);
    for other in resources.iter().filter(|other| other.address.id() != id) {
        match &other.spec {
            Spec::AuthorizedKeys(keys) if keys.user == spec.user && is_in_force(other) => match other.meta.state {
                Existence::Absent => refused.extend(keys.lines()),
                Existence::Present | Existence::Latest => {
                    lines.extend(keys.lines());
                    is_only |= keys.exclusive == Some(true);
                }
            },
            _ => {}
        }
    }
    for line in list.iter_mut() {
        if let Some(back) = line.strip_prefix(BACK).filter(|back| is_only || holds(&refused, back)) {
            *line = mark(NOT, back);
        }
    }
    list.retain(|line| line.strip_prefix(NOT).is_none_or(|line| !holds(&lines, line)));
    if list.iter().any(|line| line == ONLY) {
        list.extend(lines.iter().map(|line| mark(MAY, line)));
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

/// The lines of a file, but for empty ones. What begins like a mark of ours is no entry to sshd either.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(MARKS) && *line != ONLY)
}

/// What is none is a comment, and stays where it is.
fn is_entry(line: &str) -> bool {
    !line.starts_with('#')
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
    let marked = |with: &[char]| -> Vec<String> {
        wanted.iter().filter_map(|line| line.strip_prefix(with)).map(str::to_owned).collect()
    };
    let (refused, allowed, back) = (marked(&[NOT]), marked(&[MAY]), marked(&[BACK]));
    let is_named = |line: &&String| *line != ONLY && !line.starts_with(MARKS);
    let named: Vec<String> = wanted.iter().filter(is_named).cloned().collect();
    let stays = |line: &&String| {
        if !is_entry(line) {
            return true;
        }
        if holds(&back, line) {
            return back.contains(line);
        }
        holds(&named, line) || if only { holds(&allowed, line) } else { !holds(&refused, line) }
    };
    let mut settled: Vec<String> = found.iter().filter(stays).cloned().collect();
    place(&mut settled, &marked(&[BACK, BESIDE]), |line| back.iter().any(|one| one == line));
    for line in named {
        if !holds(&settled, &line) {
            settled.push(line);
        }
    }
    settled
}

/// Puts those of `order` that are missing and that `comes` tells before the next of `order` that is there, or at the
/// end.
fn place(lines: &mut Vec<String>, order: &[String], comes: impl Fn(&str) -> bool) {
    let mut end = lines.len();
    for line in order.iter().rev() {
        let is_it = |found: &String| found.trim() == line;
        match lines.iter().take(end).rposition(is_it) {
            Some(at) => end = at,
            None if comes(line) && !lines.iter().any(is_it) => lines.insert(end, line.clone()),
            None => {}
        }
    }
}

fn mark(with: char, line: &str) -> String {
    format!("{with}{line}")
}
