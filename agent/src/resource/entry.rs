//! What stands at a path: files and links know each other, because one may have taken the other's place.
//!
//! A regular file has no `type`. Anything else says what it is, a link with its `target`.

use super::extended::{new_xattrs, refusal};
use super::ownership::{new_attributes, observe_ownership};
use super::{BatchItem, Change, Hands, ResourceError, Sealed, State, Value, View};
use crate::host::{FileKind, FileWrite, HostError, HostPath, NewAttributes, NewXattr, Prepared, Program};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use std::borrow::Cow;
use std::io::{Cursor, Read};
use zeroize::Zeroizing;

pub(super) const CONTENT: &str = "content";
pub(super) const TARGET: &str = "target";
pub(super) const TYPE: &str = "type";
const LINK: &str = "link";
/// A thread is worth its start for so many entries.
const LEAST_SHARE: usize = 64;
/// More threads than these wait for the folder, which takes one new name at a time.
const MAX_THREADS: usize = 4;

/// What is left to commit of a change that was begun; `None`: nothing, it is made.
type Begun = Result<Option<Prepared>, ResourceError>;

/// The path of an id. Addresses hold clean paths only, so an error is a fault of the program.
pub(super) fn path_of(id: &str) -> Result<HostPath, ResourceError> {
    HostPath::new(id).map_err(|error| ResourceError::Failed(error.to_string()))
}

/// Reads what stands at `id`; the content only where it matters, because that is the dear part of a sweep.
pub(super) fn observe_entry(
    id: &str,
    with_content: bool,
    owner: Option<&str>,
    group: Option<&str>,
    view: &View<'_>,
) -> Result<State, ResourceError> {
    let path = path_of(id)?;
    let found =
        if with_content { view.reader().digest(&path)? } else { view.reader().meta(&path)?.map(|meta| (meta, None)) };
    let Some((meta, content)) = found else { return Ok(State::Absent) };
    match meta.kind {
        FileKind::File => {
            let mut attributes = observe_ownership(&meta, owner, group, &*view.accounts()?);
            if let Some(content) = content {
                attributes.insert(Cow::Borrowed(CONTENT), content.into());
            }
            Ok(State::Present(attributes))
        }
        FileKind::Link => {
            let target = view.reader().link_target(&path)?;
            Ok(State::present([(TYPE, LINK.into()), (TARGET, target.into())]))
        }
        FileKind::Directory => Ok(State::present([(TYPE, "directory".into())])),
        FileKind::Special => Ok(State::present([(TYPE, "device, socket or FIFO".into())])),
    }
}

/// Refuses what must never be replaced or removed.
pub(super) fn check_replaceable(observed: &State) -> Result<(), ResourceError> {
    match observed.get(TYPE).and_then(Value::text) {
        None | Some(LINK) => Ok(()),
        Some(other) => Err(ResourceError::Blocked(format!("a {other} stands in its place"))),
    }
}

pub(super) fn is_link(state: &State) -> bool {
    state.get(TYPE).and_then(Value::text) == Some(LINK)
}

/// Whether one is a link and the other a file.
pub(super) fn differs_in_type(a: &State, b: &State) -> bool {
    a.get(TYPE) != b.get(TYPE)
}

/// Keeps the content that the change would lose. The answer is the state before, complete.
pub(super) fn keep_entry(id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
    let mut before = change.before.clone();
    let State::Present(attributes) = &mut before else { return Ok(before) };
    let is_file = !attributes.contains_key(TYPE);
    let goes = change.removes() || differs_in_type(&change.before, &change.after);
    if is_file && (goes || change.after(CONTENT).is_some()) {
        let path = path_of(id)?;
        let content: BlobRef = vault.keep(|to| view.reader().copy(&path, to).map_err(ResourceError::from))?;
        attributes.insert(Cow::Borrowed(CONTENT), content.into());
    }
    Ok(before)
}

/// As [`keep_entry`], of a file that has secrets in it: what is kept of it only this host can read.
pub(super) fn keep_sealed(id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
    let mut before = change.before.clone();
    let State::Present(attributes) = &mut before else { return Ok(before) };
    let goes = change.removes() || differs_in_type(&change.before, &change.after);
    if !attributes.contains_key(TYPE) && (goes || change.after(CONTENT).is_some()) {
        let secrets = view.host().secrets().ok_or_else(unreadable)?;
        let mut bytes = Zeroizing::new(Vec::new());
        let content = view.reader().copy(&path_of(id)?, &mut *bytes)?;
        let ciphertext = secrets.seal(&bytes).map_err(|_| unreadable())?;
        let kept = Some(vault.keep_bytes(&ciphertext)?);
        attributes.insert(Cow::Borrowed(CONTENT), Sealed { sealed: secrets.digest(&content), kept }.into());
    }
    Ok(before)
}

/// Has the content of a file known by its keyed digest.
pub(super) fn seal_observed(observed: &mut State, view: &View<'_>) {
    let State::Present(attributes) = observed else { return };
    let Some(content) = attributes.get(CONTENT).and_then(Value::content) else { return };
    match view.host().secrets() {
        Some(secrets) => {
            let sealed = Sealed::new(secrets.digest(&content));
            attributes.insert(Cow::Borrowed(CONTENT), sealed.into());
        }
        None => _ = attributes.remove(CONTENT),
    }
}

/// The bytes of a content with secrets in it.
pub(super) fn open_sealed(sealed: &Sealed, hands: &Hands<'_>) -> Result<Box<dyn std::io::Read>, ResourceError> {
    let secrets = hands.host.secrets().ok_or_else(unreadable)?;
    if let Some(bytes) = secrets.open(&sealed.sealed) {
        return Ok(bytes);
    }
    let kept = sealed.kept.ok_or_else(unreadable)?;
    let mut ciphertext = Vec::new();
    hands.contents.open(&kept)?.read_to_end(&mut ciphertext).map_err(|_| unreadable())?;
    Ok(secrets.unseal(&ciphertext).map_err(|_| unreadable())?)
}

/// The secrets of a content cannot be had.
pub(super) fn unreadable() -> ResourceError {
    ResourceError::Blocked("its secrets cannot be read here".to_owned())
}

/// What happens between a candidate's writing and its taking the file's place.
#[derive(Clone, Copy, Default)]
pub(super) struct Candidacy<'a> {
    /// What tests it.
    pub(super) validate: Option<&'a [String]>,
    /// Whether the file in place stays beside it.
    pub(super) backup: bool,
    /// Whether there are secrets in it, so that what tests it is not told.
    pub(super) has_secrets: bool,
}

/// Makes one change.
pub(super) fn apply_entry(
    id: &str,
    change: &Change,
    candidacy: Candidacy<'_>,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let begun = begin_entry(id, change, candidacy, hands)?;
    Ok(hands.host.commit(begun.into_iter().collect()).into_iter().collect::<Result<(), HostError>>()?)
}

/// Makes many changes: candidates of all files first, then one commit.
pub(super) fn apply_entries(
    items: &[BatchItem<'_>],
    candidacies: &[Candidacy<'_>],
    hands: &Hands<'_>,
) -> Vec<Result<(), ResourceError>> {
    let mut results: Vec<Result<(), ResourceError>> = Vec::with_capacity(items.len());
    let mut prepared = Vec::new();
    let mut waiting = Vec::new();
    for (index, begun) in begin_entries(items, candidacies, hands).into_iter().enumerate() {
        results.push(begun.map(|candidate| {
            if let Some(candidate) = candidate {
                prepared.push(candidate);
                waiting.push(index);
            }
        }));
    }
    for (index, result) in waiting.into_iter().zip(hands.host.commit(prepared)) {
        if let (Some(slot), Err(error)) = (results.get_mut(index), result) {
            *slot = Err(error.into());
        }
    }
    results
}

/// Makes the changes of all, but the commit of candidates. Answers in order.
///
/// Many are shared among threads: most of the time is the kernel's, which makes, writes and hashes several at once.
fn begin_entries(items: &[BatchItem<'_>], candidacies: &[Candidacy<'_>], hands: &Hands<'_>) -> Vec<Begun> {
    let begin = |items: &[BatchItem<'_>], candidacies: &[Candidacy<'_>]| -> Vec<Begun> {
        let pairs = items.iter().zip(candidacies);
        pairs.map(|(item, one)| begin_entry(item.resource.address.id(), item.change, *one, hands)).collect()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let share = items.len().div_ceil(threads).max(LEAST_SHARE);
    let mut shares = items.chunks(share).zip(candidacies.chunks(share));
    let Some(first) = shares.next() else { return Vec::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> = shares.map(|(items, candidacies)| scope.spawn(|| begin(items, candidacies))).collect();
        let mut all = begin(first.0, first.1);
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    })
}

/// Makes one change, all but the commit of a candidate.
fn begin_entry(id: &str, change: &Change, candidacy: Candidacy<'_>, hands: &Hands<'_>) -> Begun {
    let path = path_of(id)?;
    if change.removes() {
        let kind = if is_link(&change.before) { FileKind::Link } else { FileKind::File };
        hands.host.remove(&path, kind)?;
        return Ok(None);
    }
    if is_link(&change.after) || (change.after(CONTENT).is_none() && change.after(TARGET).is_some()) {
        let target = change.after(TARGET).and_then(Value::text).unwrap_or_default();
        hands.host.make_link(&path, target)?;
        return Ok(None);
    }
    let new = new_attributes(&change.after, || hands.accounts())?;
    let xattrs = new_xattrs(&change.after, &path, new.mode, hands)?;
    let content: Box<dyn std::io::Read> = match change.after(CONTENT) {
        Some(Value::Content(content)) => hands.contents.open(content)?,
        Some(Value::Sealed(sealed)) => open_sealed(sealed, hands)?,
        _ => match set_in_place(&path, &new, &xattrs, hands) {
            // The other names are somebody else's: this one gets a file of its own.
            Err(HostError::SeveralNames(_)) => {
                let mut bytes = Vec::new();
                hands.host.reader().copy(&path, &mut bytes)?;
                Box::new(Cursor::new(bytes))
            }
            other => return other.map(|()| None).map_err(refusal),
        },
    };
    let backup = candidacy.backup && hands.validate && change.after(CONTENT).is_some();
    let candidate = hands.host.prepare(FileWrite { path, content, new, xattrs, backup }).map_err(refusal)?;
    let validate = candidacy.validate.filter(|_| hands.validate && !hands.host.scope().sandbox);
    match validate.map(|argv| check_candidate(argv, &candidate, candidacy.has_secrets, hands)) {
        Some(Err(error)) => {
            hands.host.discard(candidate);
            Err(error)
        }
        _ => Ok(Some(candidate)),
    }
}

fn set_in_place(path: &HostPath, new: &NewAttributes, xattrs: &[NewXattr], hands: &Hands<'_>) -> Result<(), HostError> {
    hands.host.set_attributes(path, new)?;
    if xattrs.is_empty() { Ok(()) } else { hands.host.set_xattrs(path, xattrs) }
}

fn check_candidate(
    argv: &[String],
    candidate: &Prepared,
    has_secrets: bool,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let argv = argv.iter().map(|part| part.replace("{path}", candidate.candidate.as_str()));
    let program = Program { timeout: hands.timeout, ..Program::new(argv) };
    let checked = hands.run(&program).map(drop);
    if has_secrets { checked.map_err(ResourceError::without_words) } else { checked }
}
