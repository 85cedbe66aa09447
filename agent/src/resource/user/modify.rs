//! Changing a user.

use super::{COMMENT, CREATE_HOME, EXPIRES, GROUP, GROUPS, HOME, LOCKED, PASSWORD, RETAINED, SHELL, UID};
use super::{NO_PASSWORD, Note, OPEN, expiry_argument, hash_of, is_locked, is_no_hash, load_note, save_note};
use crate::host::HostPath;
use crate::provider::accounts::{AccountDatabase, make_home};
use crate::resource::sealed_text::open_text;
use crate::resource::{Change, Hands, ResourceError, Value, View, account};
use muster_schema::Collection;

/// Makes the change: identity in one call, then groups, home and password.
pub(super) fn modify_user(id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let text = |name: &str| change.after(name).and_then(Value::text);
    if change.after(RETAINED).is_some() {
        unlock_retained(id, change, hands)?;
    }
    let uid = change.after(UID).and_then(Value::number).map(|uid| uid.to_string());
    let options = [
        ("--uid", uid.as_deref()),
        ("--gid", text(GROUP)),
        ("--home", text(HOME)),
        ("--shell", text(SHELL)),
        ("--comment", text(COMMENT)),
        ("--expiredate", text(EXPIRES).map(expiry_argument)),
    ];
    let mut argv = vec!["usermod"];
    for (option, value) in options {
        argv.extend(value.map(|value| [option, value]).into_iter().flatten());
    }
    if argv.len() > 1 {
        argv.push(id);
        account::run(hands, &argv)?;
    }
    if let Some(groups) = change.after(GROUPS).and_then(Value::list) {
        let found = change.before.get(GROUPS).and_then(Value::list).unwrap_or_default();
        change_groups(id, found, groups, hands)?;
    }
    if change.after(CREATE_HOME).and_then(Value::bool) == Some(true) {
        add_home(id, hands)?;
    }
    change_password(id, change, hands)
}

/// Brings the user's further groups from `found` to `wanted`; what others do to them meanwhile stays.
pub(super) fn change_groups(
    id: &str,
    found: &[String],
    wanted: &[String],
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let database = AccountDatabase::load(hands.host.reader().as_mut())?;
    for group in wanted.iter().filter(|group| !found.contains(group)) {
        if database.group(group).is_none() {
            // One that is made later in this run is joined at the next look.
            if hands.expects(Collection::Groups, group) {
                continue;
            }
            return Err(ResourceError::Blocked(format!("there is no group {group}")));
        }
        account::run(hands, &["gpasswd", "--add", id, "--", group])?;
    }
    for group in found.iter().filter(|group| !wanted.contains(group)) {
        account::run(hands, &["gpasswd", "--delete", id, "--", group])?;
    }
    Ok(())
}

/// Writes the hash as it is, not as an argument that everyone on the host could read.
pub(super) fn write_password(id: &str, hash: &str, locked: bool, hands: &Hands<'_>) -> Result<(), ResourceError> {
    if hash.contains([':', '\n']) {
        return Err(ResourceError::Blocked("the password is no hash of crypt(5)".to_owned()));
    }
    let (lock, hash) = if is_no_hash(hash) { (NO_PASSWORD, "") } else { (if locked { "!" } else { "" }, hash) };
    account::run_with(hands, &["chpasswd", "--encrypted"], format!("{id}:{lock}{hash}\n"))
}

/// The hash and its lock are one field: where only one changes, the other is taken over as it is now. The lock of a user
/// that never had a password is none: whoever is given one may use it.
fn change_password(id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let hash = change.after(PASSWORD).map(|hash| open_text(hash, hands)).transpose()?.flatten();
    let hash = hash.as_ref().map(|hash| hash.as_str());
    let locked = change.after(LOCKED).and_then(Value::bool);
    if hash.is_none() && locked.is_none() {
        return Ok(());
    }
    let database = AccountDatabase::load(hands.host.reader().as_mut())?;
    let shadow = database.user(id).and_then(|user| user.shadow.as_ref());
    let shadow = shadow.ok_or_else(|| ResourceError::Failed("the user has no entry in shadow".to_owned()))?;
    let found = hash_of(shadow);
    if hash.is_none() && locked == Some(false) && is_no_hash(found) {
        return Err(ResourceError::Blocked(OPEN.to_owned()));
    }
    write_password(id, hash.unwrap_or(found), locked.unwrap_or(is_locked(shadow) && found != NO_PASSWORD), hands)
}

/// Nobody is let in without a password, also where it was so before us.
pub(super) fn foresee_open(id: &str, change: &Change, view: &View<'_>) -> Option<String> {
    match change.after(PASSWORD).and_then(Value::secret) {
        Some(hash) => hash.is_empty().then(|| format!("{OPEN}; it is locked")),
        // Nobody has none for a secret.
        None if change.after(PASSWORD).is_some() => None,
        None if change.after(LOCKED).and_then(Value::bool) == Some(false) => {
            let database = AccountDatabase::load(view.reader().as_mut()).ok()?;
            is_no_hash(hash_of(database.user(id)?.shadow.as_ref()?)).then(|| OPEN.to_owned())
        }
        None => None,
    }
}

fn add_home(id: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let database = AccountDatabase::load(hands.host.reader().as_mut())?;
    let Some(user) = database.user(id) else { return Ok(()) };
    let home = HostPath::new(&user.home).map_err(|error| ResourceError::Blocked(error.to_string()))?;
    let note = Note { home_made: true, ..load_note(id, hands.host.as_read())? };
    save_note(id, &Note { home_unfinished: true, ..note.clone() }, hands)?;
    make_home(hands.host, &home, user.uid, user.gid)?;
    save_note(id, &Note { home_unfinished: false, ..note }, hands)
}

/// Takes back the lock of a user that could not be removed, but for what the specification itself asks.
fn unlock_retained(id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let mut note = load_note(id, hands.host.as_read())?;
    if let Some(from) = note.locked_from.take() {
        if change.after(EXPIRES).is_none() {
            account::run(hands, &["usermod", "--expiredate", expiry_argument(&from.expires), id])?;
        }
        if !from.locked && change.after(LOCKED).is_none() {
            account::run(hands, &["usermod", "--unlock", id])?;
        }
    }
    save_note(id, &note, hands)
}
