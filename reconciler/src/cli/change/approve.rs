//! `muster change approve`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use git2::{Commit, Repository};

use crate::cli::output::inert;
use crate::cli::say::say;
use crate::cli::state_clone::{block_on, find_remote, fleet_at};
use crate::io::clock;
use crate::io::git::{SshKeygenSigner, load_signing_key, open_repository, push_refs, store_approval};
use crate::verify::{ApprovalStatement, NothingRendered, Terms};

/// How many changed files are shown.
const MOST_SHOWN: usize = 20;

/// Approve a change that somebody else made: sign that its newest commit may be merged. A further
/// commit of the branch needs a new approval.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The branch, as your clone has it or as it was fetched from origin, or a commit.
    change: String,
    /// Your clone of the state repository, or the bare repository itself.
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// Your SSH key; git's user.signingKey unless given.
    #[arg(long, value_name = "FILE", visible_alias = "signing-key")]
    key: Option<PathBuf>,
    /// The branch into which it may be merged: the watched one.
    #[arg(long, default_value = "main", value_name = "BRANCH")]
    into: String,
    /// Leave the approval in the clone.
    #[arg(long)]
    no_push: bool,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let repository = open_repository(&args.repo)?;
    let key = args.key.clone().map_or_else(|| load_signing_key(&args.repo), |key| Ok(Some(key)))?;
    let key = key.context("which key signs? Set git's user.signingKey, or use --key")?;
    let change = find_commit(&repository, &args.change)?;
    let into = find_commit(&repository, &args.into)?;
    let fleet = fleet_at(&repository, into.id())?;
    describe(&repository, &into, &change)?;
    let reference = format!("refs/heads/{}", args.into);
    let terms = Terms { receipt: clock::now(), fleet: &fleet, reference: &reference, effects: &NothingRendered };
    let line = ApprovalStatement::new(change.id(), &terms).to_line()?;
    let stored = store_approval(&repository, change.id(), &line, &SshKeygenSigner { key })?;
    say!("{} is approved for {} of fleet {fleet} ({stored}).", change.id(), args.into);
    if args.no_push {
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(remote) = find_remote(&repository)? {
        let refspec = format!("+{stored}:{stored}");
        let pushed = block_on(push_refs(repository.path(), &remote, &[&refspec], &[]))?;
        pushed.with_context(|| format!("the approval is made and not pushed; try: git push origin {stored}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The commit that is meant; a branch that only origin has is found there.
pub(super) fn find_commit<'repo>(repository: &'repo Repository, name: &str) -> Result<Commit<'repo>, anyhow::Error> {
    for name in [name.to_owned(), format!("refs/remotes/origin/{name}")] {
        if let Ok(commit) = repository.revparse_single(&name).and_then(|object| object.peel_to_commit()) {
            return Ok(commit);
        }
    }
    bail!("there is no branch or commit '{}'; try: git fetch", inert(name))
}

/// Shows what the signature is about.
fn describe(repository: &Repository, into: &Commit<'_>, change: &Commit<'_>) -> Result<(), anyhow::Error> {
    let mut mainline = into.clone();
    // It may be merged already, and wait for this.
    while mainline.id() == change.id() || repository.graph_descendant_of(mainline.id(), change.id())? {
        mainline = mainline.parent(0).context("the change is as old as the branch")?;
    }
    let base = repository.merge_base(mainline.id(), change.id()).context("the two have no history in common")?;
    let before = repository.find_commit(base)?.tree()?;
    let diff = repository.diff_tree_to_tree(Some(&before), Some(&change.tree()?), None)?;
    let subject = change.summary().ok().flatten().unwrap_or_default();
    say!("{} {}", change.id(), inert(subject));
    let paths: Vec<String> =
        diff.deltas().filter_map(|delta| delta.new_file().path().map(|path| path.display().to_string())).collect();
    for path in paths.iter().take(MOST_SHOWN) {
        say!("  {}", inert(path));
    }
    if paths.len() > MOST_SHOWN {
        say!("  and {} more files", paths.len() - MOST_SHOWN);
    }
    Ok(())
}
