//! Users of the account database.
//!
//! `password` is the hash without the `!` of a locked one; `locked` is that `!`. `gid` is observed only to bring the
//! user's own group back with it.

use super::listing::Listing;
use super::membership::{give_way, settled_members, wanted_members};
use super::sealed_text::{check_read, keep_sealed_text, sealed, wanted_secret};
use super::{Change, Hands, Patience, ResourceError, ResourceType, Secret, State, Value, View, Wanted, change, group};
use crate::host::{HostPath, HostRead, Scope};
use crate::provider::accounts::{ACCOUNT_FILES, AccountDatabase, Shadow, User};
use crate::vault::Vault;
use muster_schema::resource::{Existence, UserSpec};
use muster_schema::secret::Text;
use muster_schema::{Address, Collection};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

mod create;
mod modify;
mod remove;
#[cfg(test)]
mod tests;

const UID: &str = "uid";
const GID: &str = "gid";
const GROUP: &str = "group";
const GROUPS: &str = "groups";
const HOME: &str = "home";
const CREATE_HOME: &str = "create_home";
const SHELL: &str = "shell";
const COMMENT: &str = "comment";
const PASSWORD: &str = "password";
const LOCKED: &str = "locked";
const EXPIRES: &str = "expires";
const SYSTEM: &str = "system";
/// The user was to go, could not, and is locked by us.
const RETAINED: &str = "retained";
/// The user is gone, and with it a group that is to come back.
const HALF_REMOVED: &str = "half_removed";
/// A person asked for the user to go; it does not merely go back to what was found.
const ASKED: &str = "asked";

const NEVER: &str = "never";
/// What useradd gives on Debian where nothing is said.
const NEW_SHELL: &str = "/bin/sh";
const NEW_SYSTEM_SHELL: &str = "/usr/sbin/nologin";
/// What every account is before anyone gave it a password.
const NO_PASSWORD: &str = "!";
const OPEN: &str = "it has no password, and would be open to everyone";

/// What the removal of a user needs to know of how it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// The home was made with the user.
    home_made: bool,
    /// The home is being made: what is there may not be all of it.
    #[serde(default)]
    home_unfinished: bool,
    /// The group of the user's own name was made with it.
    group_made: bool,
    /// The number of the group of the user's own name, while it is to come back: removing the user takes it along.
    #[serde(default)]
    group_owed: Option<u32>,
    /// Its numbers when it was removed. What it left in its home has them.
    #[serde(default)]
    left: Option<Numbers>,
    /// How the user was before it was locked instead of removed.
    locked_from: Option<LockedFrom>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Numbers {
    uid: u32,
    gid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LockedFrom {
    locked: bool,
    expires: String,
}

impl ResourceType for UserSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted {
                on_creation: super::Attributes::from_iter([(Cow::Borrowed(ASKED), true.into())]),
                ..Wanted::absent()
            };
        }
        let wanted = Wanted::default()
            .with(UID, self.uid.map(u64::from))
            .with(GROUP, self.group.clone())
            .with(GROUPS, wanted_members(self.groups.as_ref(), self.membership))
            .with(HOME, self.home.clone())
            .with(CREATE_HOME, self.create_home.filter(|create| *create))
            .with(SHELL, self.shell.clone())
            .with(COMMENT, self.comment.clone())
            .with(PASSWORD, self.password.as_ref().and_then(wanted_password))
            .with(LOCKED, self.locked)
            .with(EXPIRES, self.expires.clone())
            .or_on_creation(GROUPS, Vec::new())
            .or_on_creation(SHELL, if self.system == Some(true) { NEW_SYSTEM_SHELL } else { NEW_SHELL })
            .or_on_creation(COMMENT, "")
            .or_on_creation(PASSWORD, Secret::new(NO_PASSWORD))
            .or_on_creation(EXPIRES, NEVER);
        if self.system == Some(true) { wanted.or_on_creation(SYSTEM, true) } else { wanted }
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let database = view.once(|view| AccountDatabase::load(view.reader().as_mut()))?;
        let note = load_note(id, view.host()).unwrap_or_default();
        let Some(user) = database.user(id) else {
            let owed = note.group_owed.is_some();
            return Ok(if owed { State::present([(HALF_REMOVED, true.into())]) } else { State::Absent });
        };
        let mut state = observed_user(id, user, self.group.as_deref(), &database);
        let State::Present(attributes) = &mut state else { return Ok(state) };
        if self.create_home == Some(true) {
            let home = HostPath::new(&user.home).ok();
            let there = home.map(|home| view.reader().meta(&home)).transpose()?.flatten().is_some();
            attributes.insert(Cow::Borrowed(CREATE_HOME), (there && !note.home_unfinished).into());
        }
        if note.locked_from.is_some() {
            attributes.insert(Cow::Borrowed(RETAINED), true.into());
        }
        let hash = attributes.get(PASSWORD).and_then(Value::secret).filter(|hash| !is_no_hash(hash));
        if let (Some(_), Some(hash)) = (self.secret(), hash) {
            let hash = sealed(hash.as_bytes(), view)?;
            attributes.insert(Cow::Borrowed(PASSWORD), hash);
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        check_read(self.secret(), PASSWORD, wanted)?;
        if observed.get(HALF_REMOVED).is_some() {
            return match wanted.state {
                State::Absent => Ok(Some(Change { before: observed.clone(), after: State::Absent })),
                State::Present(_) => self.diff(wanted, &State::Absent),
            };
        }
        let retained = observed.get(RETAINED).is_some();
        let is_none = |value: &Value| value.secret().is_some_and(is_no_hash);
        let to_none = wanted.state.get(PASSWORD).is_some_and(is_none);
        let change = change::diff_attributes(wanted, observed, |name, wanted, found| match (name, wanted.list()) {
            (GROUPS, Some(list)) => found.list().is_some_and(|found| settled_members(list, found) == found),
            // It is for a user that is made anew.
            (GID, _) => true,
            // Without a password there is nothing to unlock.
            (LOCKED, _) if to_none => true,
            (PASSWORD, _) if to_none => found.secret() == Some(NO_PASSWORD),
            _ => wanted == found,
        });
        let mut change = change.map(|change| group::settle(change, GROUPS));
        match (&wanted.state, &mut change) {
            (State::Absent, Some(Change { before: State::Present(before), .. })) => {
                before.extend(wanted.on_creation.clone());
            }
            // It comes back into use.
            (State::Present(_), Some(Change { before: State::Present(before), after: State::Present(after) }))
                if retained =>
            {
                before.insert(Cow::Borrowed(RETAINED), true.into());
                after.insert(Cow::Borrowed(RETAINED), false.into());
            }
            (State::Present(_), None) if retained => {
                let state = |retained: bool| State::present([(RETAINED, retained.into())]);
                change = Some(Change { before: state(true), after: state(false) });
            }
            _ => {}
        }
        Ok(change)
    }

    fn give_way(&self, name: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        match (name, &self.groups) {
            (GROUPS, Some(names)) => give_way(names, self.membership, next, original),
            // A home is no longer asked for; it is not taken away either.
            (CREATE_HOME | RETAINED | HALF_REMOVED, _) => None,
            _ => super::keep_or_restore(next, original),
        }
    }

    fn foresee(&self, id: &str, change: &Change, view: &View<'_>) -> Option<String> {
        if change.removes() {
            remove::foresee_removal(id, change, view)
        } else {
            modify::foresee_open(id, change, view)
        }
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        let mut before = change.before.clone();
        let State::Present(attributes) = &mut before else { return Ok(before) };
        if attributes.get(PASSWORD).and_then(Value::sealed).is_some() {
            let database = AccountDatabase::load(view.reader().as_mut())?;
            let shadow = database.user(id).and_then(|user| user.shadow.as_ref());
            let hash = shadow.map(|shadow| keep_sealed_text(hash_of(shadow).as_bytes(), view, vault)).transpose()?;
            attributes.insert(Cow::Borrowed(PASSWORD), hash.unwrap_or(Value::Nothing));
        }
        Ok(before)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        if change.removes() {
            remove::remove_user(id, change, hands)
        } else if change.creates() {
            create::create_user(id, &change.after, self.create_home == Some(true), hands)
        } else {
            modify::modify_user(id, change, hands)
        }
    }

    /// Whoever comes back first joins the other at the next look.
    fn comes_back_at_once(&self) -> bool {
        false
    }

    fn patience(&self) -> Patience {
        Patience::Steps
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        ACCOUNT_FILES.iter().filter_map(|path| HostPath::new(path).ok()).collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_users)
    }
}

fn list_users(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let database = AccountDatabase::load(view.reader().as_mut())?;
    Ok(database.user_names().map(str::to_owned).collect())
}

/// What the database says of a user; the group as a number where the specification writes one.
fn observed_user(id: &str, user: &User, group: Option<&str>, database: &AccountDatabase) -> State {
    let by_number = group.is_some_and(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let group = if by_number { user.gid.to_string() } else { database.group_name(user.gid) };
    let mut state = State::present([
        (UID, u64::from(user.uid).into()),
        (GID, u64::from(user.gid).into()),
        (GROUP, group.into()),
        (GROUPS, database.groups_of(id).into()),
        (HOME, user.home.clone().into()),
        (SHELL, user.shell.clone().into()),
        (COMMENT, user.comment.clone().into()),
    ]);
    if let (State::Present(attributes), Some(shadow)) = (&mut state, &user.shadow) {
        attributes.insert(Cow::Borrowed(PASSWORD), Secret::new(hash_of(shadow)).into());
        attributes.insert(Cow::Borrowed(LOCKED), is_locked(shadow).into());
        attributes.insert(Cow::Borrowed(EXPIRES), expires_of(shadow).into());
    }
    state
}

/// The hash that is asked for. Whether it is a secret of its own or not, nobody sees it.
fn wanted_password(password: &Text) -> Option<Value> {
    match password {
        Text::Plain(hash) => Some(Secret::new(hash).into()),
        Text::Secret(content) => wanted_secret(content),
    }
}

fn hash_of(shadow: &Shadow) -> &str {
    match shadow.password.trim_start_matches('!') {
        "" if is_locked(shadow) => NO_PASSWORD,
        hash => hash,
    }
}

/// Whether it stands for no password: one that never was, or one that everybody knows.
fn is_no_hash(hash: &str) -> bool {
    hash.is_empty() || hash == NO_PASSWORD
}

fn is_locked(shadow: &Shadow) -> bool {
    shadow.password.starts_with('!')
}

/// The last day as YYYY-MM-DD, or `never`.
fn expires_of(shadow: &Shadow) -> String {
    let day = |days: i32| {
        let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
        Some(date.to_string())
    };
    shadow.expires.and_then(day).unwrap_or_else(|| NEVER.to_owned())
}

/// The day in the form that usermod takes.
fn expiry_argument(expires: &str) -> &str {
    if expires == NEVER { "" } else { expires }
}

fn address_of(id: &str) -> Option<Address> {
    Address::new(Collection::Users, id).ok()
}

fn load_note(id: &str, host: &dyn HostRead) -> Result<Note, ResourceError> {
    let (Some(notes), Some(address)) = (host.notes(), address_of(id)) else { return Ok(Note::default()) };
    let note = notes.load(&address);
    Ok(note.map_err(|error| ResourceError::Failed(format!("the note about the user: {error}")))?.unwrap_or_default())
}

fn save_note(id: &str, note: &Note, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let (Some(notes), Some(address)) = (hands.host.notes(), address_of(id)) else { return Ok(()) };
    let saved = if *note == Note::default() { notes.forget(&address) } else { notes.save(&address, note) };
    saved.map_err(|error| ResourceError::Failed(format!("the note about the user: {error}")))
}
