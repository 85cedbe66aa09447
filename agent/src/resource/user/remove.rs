//! Removing a user.
//!
//! A user that we made goes only if no process of it runs and its home is as we made it; else it is locked. One that
//! a person wants gone goes without its home, as soon as no process of it runs.

use super::{ASKED, LockedFrom, Note, Numbers, expires_of, is_locked, load_note, save_note};
use crate::host::{HostPath, Reader};
use crate::provider::accounts::{AccountDatabase, User, has_processes, is_as_made, remove_home};
use crate::resource::{Change, Hands, ResourceError, View, account};
use muster_schema::Collection;

const RUNS: &str = "processes of it run";
const HOLDS_FILES: &str = "its home holds files";

pub(super) fn remove_user(id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let database = AccountDatabase::load(hands.host.reader().as_mut())?;
    let note = load_note(id, hands.host.as_read())?;
    let Some(user) = database.user(id) else { return tidy(id, &note, hands) };
    if user.uid == 0 {
        return Err(ResourceError::Blocked("a user with number 0 is never removed".to_owned()));
    }
    let asked = change.before.get(ASKED).is_some();
    if runs_processes(user)? {
        return if asked { Err(ResourceError::Blocked(RUNS.to_owned())) } else { retain(id, user, note, RUNS, hands) };
    }
    let made = made_home(user, &note, hands.host.reader().as_mut())?;
    if made == MadeHome::HoldsFiles && !asked {
        return retain(id, user, note, HOLDS_FILES, hands);
    }
    if let MadeHome::AsMade(home) = made {
        remove_home(hands.host, &home)?;
    }
    let comes_back = !note.group_made || hands.expects(Collection::Groups, id);
    let owed = database.group(id).filter(|_| comes_back).map(|group| group.gid);
    let note = Note { group_owed: owed, ..note };
    let left = asked.then_some(Numbers { uid: user.uid, gid: user.gid });
    let note = Note { left, ..note };
    if note.group_owed.is_some() || note.left.is_some() {
        save_note(id, &note, hands)?;
    }
    account::run(hands, &["userdel", id])?;
    tidy(id, &note, hands)
}

/// Why the user will not go, as far as that can be seen.
pub(super) fn foresee_removal(id: &str, change: &Change, view: &View<'_>) -> Option<String> {
    let database = AccountDatabase::load(view.reader().as_mut()).ok()?;
    let (user, note) = (database.user(id)?, load_note(id, view.host()).ok()?);
    let asked = change.before.get(ASKED).is_some();
    if runs_processes(user).ok()? {
        return Some(if asked { RUNS.to_owned() } else { locked_because(RUNS) });
    }
    let made = made_home(user, &note, view.reader().as_mut()).ok()?;
    (made == MadeHome::HoldsFiles && !asked).then(|| locked_because(HOLDS_FILES))
}

/// What became of a home that was made with the user.
#[derive(PartialEq, Eq)]
enum MadeHome {
    /// None was made.
    None,
    AsMade(HostPath),
    HoldsFiles,
}

fn made_home(user: &User, note: &Note, reader: &mut dyn Reader) -> Result<MadeHome, ResourceError> {
    let Some(home) = HostPath::new(&user.home).ok().filter(|_| note.home_made) else { return Ok(MadeHome::None) };
    Ok(if is_as_made(reader, &home)? { MadeHome::AsMade(home) } else { MadeHome::HoldsFiles })
}

fn runs_processes(user: &User) -> Result<bool, ResourceError> {
    has_processes(user.uid).map_err(|error| ResourceError::Failed(format!("who runs processes: {error}")))
}

fn locked_because(reason: &str) -> String {
    format!("{reason}; it is locked")
}

/// userdel takes the group of the user's name along, whoever made it. What was there before comes back, and what
/// came with the user goes.
fn tidy(id: &str, note: &Note, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let database = AccountDatabase::load(hands.host.reader().as_mut())?;
    match (note.group_owed, database.group(id)) {
        (Some(gid), None) => account::run(hands, &["groupadd", "--gid", &gid.to_string(), id])?,
        (None, Some(group)) if note.group_made && group.members.is_empty() => account::run(hands, &["groupdel", id])?,
        _ => {}
    }
    save_note(id, &Note { left: note.left, ..Note::default() }, hands)
}

/// Locks the user instead. Locked is: no password, and expired, so that keys do not let in either.
fn retain(id: &str, user: &User, mut note: Note, reason: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    const LONG_AGO: Option<i32> = Some(1);
    let retained = Err(ResourceError::Retained(locked_because(reason)));
    let Some(shadow) = &user.shadow else { return retained };
    if note.locked_from.is_none() {
        note.locked_from = Some(LockedFrom { locked: is_locked(shadow), expires: expires_of(shadow) });
        save_note(id, &note, hands)?;
    }
    if !is_locked(shadow) || shadow.expires != LONG_AGO {
        account::run(hands, &["usermod", "--lock", "--expiredate", "1970-01-02", id])?;
    }
    retained
}
