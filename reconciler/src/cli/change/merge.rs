//! `muster change merge`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Context, Error, ensure};
use git2::{Oid, Repository};
use muster_schema::document::Verb;

use super::approve::find_commit;
use crate::cli::exit;
use crate::cli::output::inert;
use crate::cli::policy::judge::judge;
use crate::cli::say::say;
use crate::cli::state_clone::{BRANCH, OperatorArgs};
use crate::io::clock;
use crate::io::git::{GitError, read_tip};
use crate::verify::{APPROVAL_NAMESPACE, AllowedSigner, CommitFault, Rejection, load_signing_policy};

#[cfg(test)]
mod tests;

/// Merge a branch into main, signed by you. The merge is judged as the orchestrator would before
/// anything moves; one that would be refused is not made. Exits 1 then.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The branch, as your clone has it or as it was fetched from origin, or a commit.
    change: String,
    /// The message of the merge.
    #[arg(long, short, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    commit: OperatorArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, Error> {
    let clone = args.commit.open_main()?;
    clone.fetch()?;
    let (repository, tip) = clone.main();
    check_names_one(repository, &args.change)?;
    let change = find_commit(repository, &args.change)?.id();
    if change == tip || repository.graph_descendant_of(tip, change)? {
        say!("{BRANCH} has {} already.", inert(&args.change));
        return Ok(ExitCode::SUCCESS);
    }
    let message = args.message.clone().unwrap_or_else(|| format!("Merge {}", args.change));
    let merge = clone.merge(change, &message).map_err(|error| by_hand(error, &args.change))?;
    if let Some(rejection) = judge(repository, tip, merge, BRANCH)? {
        name_approvers(repository, tip, &rejection)?;
        say!("Nothing is merged.");
        return Ok(ExitCode::from(exit::DIFFERS));
    }
    clone.advance(merge, &message)?;
    clone.push()?;
    say!("{change} is merged into {BRANCH} by {merge}.");
    Ok(ExitCode::SUCCESS)
}

/// Refuses the name of a branch that is at two commits.
fn check_names_one(repository: &Repository, name: &str) -> Result<(), Error> {
    let here = read_tip(repository, &format!("refs/heads/{name}")).ok().flatten();
    let there = read_tip(repository, &format!("refs/remotes/origin/{name}")).ok().flatten();
    let name = inert(name);
    let differs = here.zip(there).is_some_and(|(here, there)| here != there);
    ensure!(
        !differs,
        "'{name}' is at another commit in your clone than at origin; push or pull it, or say origin/{name}"
    );
    Ok(())
}

fn by_hand(error: GitError, change: &str) -> Error {
    let hint = format!(
        "no automatic merge; merge {0} into your branch and push that, or here by hand: git merge --no-ff -S {0}, solve and commit, muster policy test --commit HEAD, git push",
        inert(change)
    );
    match error {
        GitError::Conflict { .. } => Error::new(error).context(hint),
        other => other.into(),
    }
}

/// Says who may give the approvals that are missing.
fn name_approvers(repository: &Repository, tip: Oid, rejection: &Rejection) -> Result<(), Error> {
    let tree = repository.find_commit(tip).context("the newest commit")?.tree_id();
    let policy = load_signing_policy(repository, tip, tree, clock::now())?;
    for refused in &rejection.commits {
        let (path, verb, does) = match &refused.fault {
            CommitFault::ApprovalsMissing { path, .. } => (path, Verb::Approve, "approve"),
            CommitFault::NotAllowed { path, verb: Verb::Merge, .. } => (path, Verb::Merge, "merge"),
            _ => continue,
        };
        let may = |principals: &[String]| policy.access.grant(principals, verb).covers(path);
        let approves = |line: &&AllowedSigner| verb != Verb::Approve || line.covers_namespace(APPROVAL_NAMESPACE);
        let people = policy.allowed.iter().filter(|line| may(&line.principals)).filter(approves);
        let people: BTreeSet<String> = people.map(|line| line.principals.join(",")).collect();
        let people: Vec<String> = people.iter().map(|name| inert(name)).collect();
        say!("who may {does} '{}': {}", inert(path), people.join(", "));
    }
    Ok(())
}
