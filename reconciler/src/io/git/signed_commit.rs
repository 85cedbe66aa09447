//! Commits made and signed in-process.

use std::collections::BTreeMap;
use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{Commit, ErrorCode, FileMode, ObjectType, Oid, Repository, Signature, Status, Time};
use muster_schema::Timestamp;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::error::GitError;
use super::tree_edit::{BlobEdits, edit_tree};

/// The namespace of git's SSH signatures.
pub(super) const NAMESPACE: &str = "git";

/// Who makes a commit, and when.
#[derive(Debug, Clone)]
pub struct CommitAuthor {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The moment, written with whole seconds in UTC.
    pub time: Timestamp,
}

/// Signs commits.
pub trait CommitSigner {
    /// Returns an armoured signature over `payload`: SSH's of namespace `git`, or OpenPGP's.
    fn sign_commit(&self, payload: &[u8]) -> Result<String, GitError>;
}

impl CommitSigner for PrivateKey {
    fn sign_commit(&self, payload: &[u8]) -> Result<String, GitError> {
        let signature = self.sign(NAMESPACE, HashAlg::Sha512, payload).map_err(GitError::Key)?;
        signature.to_pem(LineEnding::LF).map_err(GitError::Key)
    }
}

/// Commits `edits` (path → content, or `None` to remove) on top of `parent`,
/// and moves `branch` there. An existing file keeps its mode.
///
/// # Errors
/// [`GitError::Moved`] when the branch is not at `parent` (`None`: does not
/// exist); then nothing happened. In a repository whose work tree has the
/// branch checked out, the edited files are updated there too, and
/// [`GitError::Dirty`] says that one has uncommitted changes.
pub fn commit_signed(
    repo: &Repository,
    branch: &str,
    parent: Option<Oid>,
    edits: &BTreeMap<String, Option<Vec<u8>>>,
    message: &str,
    author: &CommitAuthor,
    signer: &dyn CommitSigner,
) -> Result<Oid, GitError> {
    let reference = format!("refs/heads/{branch}");
    let in_work_tree = is_checked_out(repo, &reference);
    if in_work_tree {
        check_clean(repo, edits.keys())?;
    }
    let parent_commit =
        parent.map(|id| repo.find_commit(id)).transpose().map_err(GitError::read("the parent commit"))?;
    let base = parent_commit.as_ref().map(Commit::tree_id);

    let mut blobs = BlobEdits::new();
    for (path, content) in edits {
        let blob = match content {
            Some(bytes) => {
                let id = repo.blob(bytes).map_err(GitError::write(path.as_str()))?;
                Some((id, mode_of(repo, base, path)))
            }
            None => None,
        };
        blobs.insert(path, blob);
    }
    let (tree, _) = edit_tree(repo, base, &blobs)?;
    let parents: Vec<&Commit<'_>> = parent_commit.iter().collect();
    let commit = store_signed_commit(repo, tree, &parents, message, author, signer)?;
    move_reference(repo, &reference, parent, commit, message)?;
    if in_work_tree {
        update_work_tree(repo, edits.keys())?;
    }
    Ok(commit)
}

/// Stores the commit object alone; no reference moves.
pub(super) fn store_signed_commit(
    repo: &Repository,
    tree: Oid,
    parents: &[&Commit<'_>],
    message: &str,
    author: &CommitAuthor,
    signer: &dyn CommitSigner,
) -> Result<Oid, GitError> {
    let write = |source| GitError::Write { what: "the commit".into(), source };
    let seconds = i64::try_from(author.time.0 / 1000).unwrap_or(i64::MAX);
    let who = Signature::new(&author.name, &author.email, &Time::new(seconds, 0)).map_err(write)?;
    let tree = repo.find_tree(tree).map_err(GitError::read("the tree"))?;
    let message = if message.ends_with('\n') { message.to_owned() } else { format!("{message}\n") };
    let payload = repo.commit_create_buffer(&who, &who, &message, &tree, parents).map_err(write)?;
    let text = std::str::from_utf8(&payload).map_err(|_| write(git2::Error::from_str("the commit is not UTF-8")))?;
    let signature = signer.sign_commit(&payload)?;
    repo.commit_signed(text, &signature, None).map_err(write)
}

/// Moves `reference` from `from` (`None`: it must not exist) to `to`.
pub(super) fn move_reference(
    repo: &Repository,
    reference: &str,
    from: Option<Oid>,
    to: Oid,
    message: &str,
) -> Result<(), GitError> {
    let log = message.lines().next().unwrap_or_default();
    let moved = match from {
        Some(from) => repo.reference_matching(reference, to, true, from, log),
        None => repo.reference(reference, to, false, log),
    };
    match moved {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists | ErrorCode::NotFound) => {
            Err(GitError::Moved { reference: reference.to_owned(), expected: from })
        }
        Err(source) => Err(GitError::Write { what: reference.to_owned(), source }),
    }
}

fn mode_of(repo: &Repository, base: Option<Oid>, path: &str) -> FileMode {
    let entry = base.and_then(|id| repo.find_tree(id).ok()).and_then(|tree| tree.get_path(Path::new(path)).ok());
    match entry {
        Some(entry) if entry.kind() == Some(ObjectType::Blob) && entry.filemode() == 0o100_755 => {
            FileMode::BlobExecutable
        }
        _ => FileMode::Blob,
    }
}

pub(super) fn is_checked_out(repo: &Repository, reference: &str) -> bool {
    let head = repo.find_reference("HEAD");
    let target = head.as_ref().ok().and_then(|head| head.symbolic_target().ok().flatten());
    !repo.is_bare() && target == Some(reference)
}

pub(super) fn check_clean<'a>(repo: &Repository, paths: impl Iterator<Item = &'a String>) -> Result<(), GitError> {
    for path in paths {
        match repo.status_file(Path::new(path)) {
            Ok(status) if status == Status::CURRENT => {}
            // Neither in the commit, nor in the index, nor in the work tree.
            Err(error) if error.code() == ErrorCode::NotFound => {}
            Ok(_) => return Err(GitError::Dirty { path: path.clone() }),
            Err(source) => return Err(GitError::Read { what: path.clone(), source }),
        }
    }
    Ok(())
}

pub(super) fn update_work_tree<'a>(repo: &Repository, paths: impl Iterator<Item = &'a String>) -> Result<(), GitError> {
    let mut checkout = CheckoutBuilder::new();
    checkout.force().disable_pathspec_match(true).remove_untracked(false);
    for path in paths {
        checkout.path(path.as_str());
    }
    repo.checkout_head(Some(&mut checkout)).map_err(GitError::write("the work tree"))
}
