//! Changing the file of a user, in a folder that the user owns.

use super::{KEYS, KeyPaths, identity, paths_of, place};
use crate::host::{FileKind, HostError, Login, NewAttributes};
use crate::resource::system_text::{append_line, load_text, write_text};
use crate::resource::{Change, Hands, ResourceError, Value, View, check_sense};
use muster_schema::resource::AuthorizedKeysSpec;
use muster_schema::{Address, Collection};
use serde::{Deserialize, Serialize};

/// What was made for the keys of a user, so that it can go with them.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Note {
    folder_made: bool,
    file_made: bool,
}

/// Whether the file that was made is gone, and what else was made for it may not be.
pub(super) fn is_half_removed(user: &str, paths: &KeyPaths, view: &View<'_>) -> Result<bool, ResourceError> {
    let Some(notes) = view.host().notes() else { return Ok(false) };
    let Ok(at) = Address::new(Collection::AuthorizedKeys, user) else { return Ok(false) };
    let made = notes.load::<Note>(&at).ok().flatten().is_some_and(|note| note.file_made);
    Ok(made && view.reader().meta(&paths.file)?.is_none())
}

/// Adds and removes lines; the others stay where and as they are.
pub(super) fn change_keys(spec: &AuthorizedKeysSpec, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    check_sense(spec)?;
    let user = spec.user.as_deref().unwrap_or_default();
    let accounts = hands.accounts()?;
    let login = accounts.login(user).ok_or_else(|| ResourceError::Blocked(format!("there is no user {user}")))?;
    let paths = paths_of(login)?;
    let found = load_text(&paths.file, hands.host.reader().as_mut())?;
    let text = changed_text(found.as_deref().unwrap_or_default(), change);
    let note_at = Address::new(Collection::AuthorizedKeys, user).ok();
    let note_at = note_at.as_ref().filter(|_| hands.host.notes().is_some());
    let known = note_at.and_then(|at| hands.host.notes()?.load::<Note>(at).ok().flatten());
    if text.trim().is_empty() {
        if let Some(note) = known.filter(|note| note.file_made) {
            return remove_made(&paths, note, note_at, hands);
        }
        if found.is_none() {
            return Ok(());
        }
    }
    let fresh = found.is_none().then(|| missing_parts(&paths, hands)).transpose()?;
    if let (Some(note), Some(at), Some(notes)) = (fresh, note_at, hands.host.notes()) {
        // What was made first counts: a folder that was found may have been removed by somebody since.
        let note = known.unwrap_or(note);
        notes.save(at, &note).map_err(|error| ResourceError::Failed(format!("writing down what is made: {error}")))?;
    }
    let owner = |mode| NewAttributes { mode: Some(mode), uid: Some(login.uid), gid: Some(login.gid) };
    if fresh.is_some_and(|note| note.folder_made) {
        make_folder(&paths, login, &owner(0o700), hands)?;
    }
    let new = if fresh.is_some() { owner(0o600) } else { NewAttributes::default() };
    write_text(&paths.file, &text, new, hands)
}

/// The lines that the change takes away are left out; those that it adds come where it has them.
fn changed_text(text: &str, change: &Change) -> String {
    let lines = |value: Option<&Value>| value.and_then(Value::list).unwrap_or_default().to_vec();
    let (before, after) = (lines(change.before.get(KEYS)), lines(change.after(KEYS)));
    let goes = |line: &str| before.iter().any(|one| one == line) && !after.iter().any(|one| one == line);
    let mut changed: Vec<String> =
        text.split_inclusive('\n').filter(|line| !goes(line.trim())).map(str::to_owned).collect();
    let there: Vec<String> = changed.iter().map(|line| identity(line.trim())).collect();
    place(&mut changed, &after, |line| !before.iter().any(|one| one == line) && !there.contains(&identity(line)));
    let mut text = String::new();
    for line in &changed {
        append_line(&mut text, line.trim_end_matches('\n'));
    }
    text
}

fn missing_parts(paths: &KeyPaths, hands: &Hands<'_>) -> Result<Note, ResourceError> {
    let mut reader = hands.host.reader();
    if reader.meta(&paths.home)?.is_none() {
        return Err(ResourceError::Blocked(format!("the home {} is not there", paths.home)));
    }
    Ok(Note { folder_made: reader.meta(&paths.folder)?.is_none(), file_made: true })
}

fn make_folder(paths: &KeyPaths, login: &Login, new: &NewAttributes, hands: &Hands<'_>) -> Result<(), ResourceError> {
    hands.host.make_directory(&paths.folder, new)?;
    let made = hands.host.reader().meta(&paths.folder)?;
    if made.is_some_and(|meta| meta.kind == FileKind::Directory && meta.uid == login.uid) {
        return Ok(());
    }
    Err(ResourceError::Blocked(format!("{} is not the folder that was made", paths.folder)))
}

fn remove_made(
    paths: &KeyPaths,
    note: Note,
    note_at: Option<&Address>,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let there = |path| hands.host.reader().meta(path).map(|meta| meta.is_some());
    if there(&paths.file)? {
        hands.host.remove(&paths.file, FileKind::File)?;
    }
    if note.folder_made && there(&paths.folder)? {
        match hands.host.remove(&paths.folder, FileKind::Directory) {
            // Somebody keeps other things there by now.
            Err(HostError::NotEmpty(_)) => {}
            other => other?,
        }
    }
    if let (Some(at), Some(notes)) = (note_at, hands.host.notes()) {
        let forgotten = notes.forget(at);
        forgotten.map_err(|error| ResourceError::Failed(format!("forgetting what was made: {error}")))?;
    }
    Ok(())
}
