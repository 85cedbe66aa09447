//! Making a user.

use super::modify::{change_groups, write_password};
use super::{COMMENT, EXPIRES, GID, GROUP, GROUPS, HOME, LOCKED, Note, Numbers, PASSWORD, SHELL, SYSTEM, UID};
use super::{expiry_argument, is_no_hash, load_note, save_note};
use crate::host::HostPath;
use crate::provider::accounts::AccountDatabase;
use crate::resource::sealed_text::open_text;
use crate::resource::{Hands, ResourceError, State, Value, account};

/// Makes the user `id` as `state` says. The group of its own name is made with it, unless another is named.
pub(super) fn create_user(id: &str, state: &State, with_home: bool, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let database = AccountDatabase::load(hands.host.reader().as_mut())?;
    let text = |name: &str| state.get(name).and_then(Value::text).filter(|text| !text.is_empty());
    let number = |name: &str| state.get(name).and_then(Value::number).map(|number| number.to_string());
    let (named, own) = (text(GROUP), database.group(id).is_some());
    let known = load_note(id, hands.host.as_read())?;
    let left = known.left;
    let note = Note {
        group_made: !own && named.is_none_or(|group| group == id),
        home_made: with_home && !has_home(id, text(HOME), hands)?,
        group_owed: None,
        ..known
    };
    save_note(id, &note, hands)?;
    if let Some(group) = named.filter(|group| database.group(group).is_none() && group.parse::<u32>().is_err()) {
        match number(GID) {
            // The user comes back, and with it the group that went with it.
            Some(gid) if group == id => account::run(hands, &["groupadd", "--gid", &gid, id])?,
            _ => return Err(ResourceError::Blocked(format!("there is no group {group}"))),
        }
    }
    let group = named.or(own.then_some(id));
    let uid = number(UID);
    let mut argv = vec!["useradd", if with_home { "--create-home" } else { "--no-create-home" }];
    if state.get(SYSTEM).is_some() {
        argv.push("--system");
    }
    let expires = text(EXPIRES).map(expiry_argument).filter(|day| !day.is_empty());
    // It is given what it left: first it has the numbers of that, and then its own.
    let left = left.filter(|left| uid.is_some() && group.is_some() && fits(*left, &database));
    let numbers = left.map(|left| (left.uid.to_string(), left.gid.to_string()));
    let (first_uid, first_group) =
        numbers.as_ref().map_or((uid.as_deref(), group), |(uid, gid)| (Some(uid), Some(gid)));
    let options = [
        ("--uid", first_uid),
        ("--gid", first_group),
        ("--home-dir", text(HOME)),
        ("--shell", text(SHELL)),
        ("--comment", text(COMMENT)),
        ("--expiredate", expires),
    ];
    for (option, value) in options {
        argv.extend(value.map(|value| [option, value]).into_iter().flatten());
    }
    if group.is_none() {
        argv.push("--user-group");
    }
    argv.push(id);
    account::run(hands, &argv)?;
    if let (Some(_), Some(uid), Some(group)) = (left, uid.as_deref(), group) {
        account::run(hands, &["usermod", "--uid", uid, "--gid", group, id])?;
    }
    if note.left.is_some() {
        save_note(id, &Note { left: None, ..note }, hands)?;
    }
    if let Some(groups) = state.get(GROUPS).and_then(Value::list) {
        change_groups(id, &[], groups, hands)?;
    }
    let hash = state.get(PASSWORD).map(|hash| open_text(hash, hands)).transpose()?.flatten();
    let hash = hash.as_ref().map(|hash| hash.as_str()).filter(|hash| !is_no_hash(hash));
    let locked = state.get(LOCKED).and_then(Value::bool);
    match (hash, locked) {
        (Some(hash), locked) => write_password(id, hash, locked == Some(true), hands),
        (None, Some(false)) => account::run(hands, &["usermod", "--unlock", id]),
        // A new user has no password, and is locked.
        (None, _) => Ok(()),
    }
}

/// Whether a user may have these numbers.
fn fits(left: Numbers, database: &AccountDatabase) -> bool {
    let users = database.user_names().filter_map(|name| database.user(name));
    let is_taken = users.into_iter().any(|user| user.uid == left.uid);
    !is_taken && database.group_name(left.gid) != left.gid.to_string()
}

/// Whether the home that the user is to have is there already.
fn has_home(id: &str, home: Option<&str>, hands: &Hands<'_>) -> Result<bool, ResourceError> {
    let path = home.map_or_else(|| format!("/home/{id}"), str::to_owned);
    let Ok(path) = HostPath::new(&path) else { return Ok(true) };
    Ok(hands.host.reader().meta(&path)?.is_some())
}
