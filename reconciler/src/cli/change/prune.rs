//! `muster change prune`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Error, bail, ensure};
use git2::{Oid, Repository};
use ssh_key::PublicKey;

use super::approve::find_commit;
use crate::cli::say::say;
use crate::cli::state_clone::{block_on, find_anchor, find_remote};
use crate::io::git::{GitError, RemoteUrl, fetch_remote, list_references, list_remote, open_repository, push_refs};
use crate::verify::{APPROVAL_REFERENCES, approved_commit};

#[cfg(test)]
mod tests;

/// Most references that one push deletes: bounds its command line.
const MOST_AT_ONCE: usize = 200;

/// Remove approvals that nothing waits for any more, here and at origin: of changes that the orchestrator has taken in,
/// and of commits that no branch or other reference has. Who verifies the history again from a commit before those
/// changes needs their approvals; trust a newer one.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only say which.
    #[arg(long)]
    dry_run: bool,
    /// Your clone of the state repository, or the bare repository itself.
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// The branch into which changes are merged: the watched one.
    #[arg(long, default_value = "main", value_name = "BRANCH")]
    into: String,
    /// A commit of it that the orchestrator has verified; unless given, the one that the status branch names, as far as
    /// --status-key signed that.
    #[arg(long, value_name = "COMMIT")]
    until: Option<String>,
    /// The status key: status.pub of the keys folder.
    #[arg(long, value_name = "FILE", conflicts_with = "until")]
    status_key: Option<PathBuf>,
}

/// An approval that nothing waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Merged,
    Gone,
}

/// Where a reference is, and at what: here, at origin.
type Places = (Option<Oid>, Option<Oid>);

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Error> {
    let repository = open_repository(&args.repo)?;
    let remote = find_remote(&repository)?;
    let theirs = match &remote {
        Some(remote) => fetch(&repository, remote)?,
        None => BTreeMap::new(),
    };
    let ours = list_references(&repository)?;
    let verified = find_verified(&repository, args)?;
    let heads = live_heads(&ours, &theirs, remote.is_some());
    let mut found: BTreeMap<String, (Reason, Places)> = BTreeMap::new();
    for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        if let Some(commit) = approved_commit(name)
            && let Some(reason) = judge(&repository, commit, verified, &heads)?
        {
            found.insert(name.clone(), (reason, (ours.get(name).copied(), theirs.get(name).copied())));
        }
    }
    for (name, (reason, (_, at_remote))) in &found {
        let why = match reason {
            Reason::Merged => "merged",
            Reason::Gone => "no reference has the commit",
        };
        let place = if at_remote.is_some() { ", at origin too" } else { "" };
        say!("{name} ({why}{place})");
    }
    if args.dry_run {
        say!("{} approvals would be removed.", found.len());
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(remote) = &remote {
        remove_remote(&repository, remote, &found)?;
    }
    for (name, _) in found.iter().filter(|(_, (_, (here, _)))| here.is_some()) {
        let removed = repository.find_reference(name).and_then(|mut reference| reference.delete());
        removed.with_context(|| format!("{name} cannot be removed here"))?;
    }
    say!("{} approvals are removed.", found.len());
    Ok(ExitCode::SUCCESS)
}

/// Fetches every branch; the answer is all references that the remote has.
fn fetch(repository: &Repository, remote: &RemoteUrl) -> Result<BTreeMap<String, Oid>, Error> {
    block_on(async {
        fetch_remote(repository.path(), remote, &["+refs/heads/*:refs/remotes/origin/*"]).await?;
        list_remote(repository.path(), remote).await
    })?
    .map_err(|error: GitError| error.into())
}

/// The commit up to which the orchestrator has verified the branch. A merge after it may still wait for approvals.
fn find_verified(repository: &Repository, args: &Args) -> Result<Oid, Error> {
    let verified = match (&args.until, &args.status_key) {
        (Some(name), _) => find_commit(repository, name)?.id(),
        (None, Some(path)) => {
            let key =
                PublicKey::read_openssh_file(path).with_context(|| format!("the status key {}", path.display()))?;
            let anchor = find_anchor(repository, &key)?;
            anchor.context(
                "no status branch that the status key signed says what is verified; say it by --until COMMIT",
            )?
        }
        (None, None) => {
            bail!("anybody who pushes may write a status branch: give its key by --status-key FILE, or --until COMMIT")
        }
    };
    let origin = format!("origin/{}", args.into);
    let tip = find_commit(repository, &origin).or_else(|_| find_commit(repository, &args.into))?.id();
    let is_of_branch = tip == verified || repository.graph_descendant_of(tip, verified).unwrap_or(false);
    ensure!(is_of_branch, "{verified} is not on {}; try: git fetch, or --until COMMIT", args.into);
    Ok(verified)
}

/// What keeps commits: every reference but approvals, and but what was once fetched of a remote that tells itself.
fn live_heads(ours: &BTreeMap<String, Oid>, theirs: &BTreeMap<String, Oid>, has_remote: bool) -> BTreeSet<Oid> {
    let is_old = |name: &str| has_remote && name.starts_with("refs/remotes/origin/");
    let counts = |name: &str| !name.starts_with(APPROVAL_REFERENCES) && !is_old(name);
    ours.iter().chain(theirs).filter(|(name, _)| counts(name)).map(|(_, id)| *id).collect()
}

fn judge(
    repository: &Repository,
    commit: Oid,
    verified: Oid,
    heads: &BTreeSet<Oid>,
) -> Result<Option<Reason>, git2::Error> {
    let is_here = |id: &Oid| repository.find_commit(*id).is_ok();
    let has = |head: &Oid| -> Result<bool, git2::Error> {
        Ok(*head == commit || repository.graph_descendant_of(*head, commit)?)
    };
    if is_here(&commit) && has(&verified)? {
        return Ok(Some(Reason::Merged));
    }
    // A forge may name commits that a clone does not fetch.
    if heads.contains(&commit) {
        return Ok(None);
    }
    if is_here(&commit) {
        for head in heads.iter().filter(|head| is_here(head)) {
            if has(head)? {
                return Ok(None);
            }
        }
    }
    Ok(Some(Reason::Gone))
}

/// Removes at the remote what is still as it was found there.
fn remove_remote(
    repository: &Repository,
    remote: &RemoteUrl,
    found: &BTreeMap<String, (Reason, Places)>,
) -> Result<(), Error> {
    let there = found.iter().filter_map(|(name, (_, (_, id)))| Some((name.as_str(), id.as_ref()?.to_string())));
    let there: Vec<(&str, String)> = there.collect();
    for some in there.chunks(MOST_AT_ONCE) {
        let refspecs: Vec<String> = some.iter().map(|(name, _)| format!(":{name}")).collect();
        let refspecs: Vec<&str> = refspecs.iter().map(String::as_str).collect();
        let leases: Vec<(&str, &str)> = some.iter().map(|(name, id)| (*name, id.as_str())).collect();
        let pushed = block_on(push_refs(repository.path(), remote, &refspecs, &leases))?;
        pushed.context("origin does not let you remove approvals; nothing is removed here")?;
    }
    Ok(())
}
