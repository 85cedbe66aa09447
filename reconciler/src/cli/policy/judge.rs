//! Judges commits as the orchestrator would.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use git2::{Oid, Repository};

use crate::cli::exit;
use crate::cli::output::inert;
use crate::cli::say::say;
use crate::cli::state_clone::fleet_at;
use crate::cycle::FleetRenders;
use crate::io::clock;
use crate::io::git::{load_facts_branch, open_repository};
use crate::verify::{CommitFault, Rejection, Terms, verify_commits};

/// Judges what `to` has and `from` has not.
pub(super) fn run(dir: &Path, from: &str, to: &str, branch: &str) -> Result<ExitCode, anyhow::Error> {
    let repository = open_repository(dir)?;
    let (anchor, offered) = (resolve(&repository, from)?, resolve(&repository, to)?);
    Ok(match judge(&repository, anchor, offered, branch)? {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::from(exit::DIFFERS),
    })
}

/// Judges what `offered` has and `anchor` has not, and says of each commit whether it stands.
pub(in crate::cli) fn judge(
    repository: &Repository,
    anchor: Oid,
    offered: Oid,
    branch: &str,
) -> Result<Option<Rejection>, anyhow::Error> {
    let fleet = fleet_at(repository, anchor)?;
    let reference = format!("refs/heads/{branch}");
    let facts = load_facts_branch(repository.path())?;
    let renders = FleetRenders::of(repository.path());
    let effects = renders.by(&facts);
    let terms = Terms { receipt: clock::now(), fleet: &fleet, reference: &reference, effects: &effects };
    match verify_commits(repository, anchor, offered, &terms) {
        Ok(revision) => {
            for commit in revision.commits() {
                let place = if commit.on_mainline { "" } else { " (merged)" };
                let subject = commit.message.lines().next().unwrap_or_default();
                say!("yes: {} by {}{place}: {}", commit.id, inert(&commit.signer.principals.join(",")), inert(subject));
            }
            Ok(None)
        }
        Err(rejection) => {
            for refused in &rejection.commits {
                say!("no: {}: {}: {}", refused.id, refused.fault.code(), inert(&refused.fault.to_string()));
                if let CommitFault::EffectNotAllowed { effects, more, .. } = &refused.fault {
                    effects.iter().for_each(|effect| say!("    {}", inert(effect)));
                    if *more > 0 {
                        say!("    and {more} more");
                    }
                }
                if let Some(hint) = refused.fault.hint() {
                    say!("    {}", inert(&hint));
                }
            }
            if rejection.unlisted > 0 {
                say!("no: {} more", rejection.unlisted);
            }
            Ok(Some(rejection))
        }
    }
}

fn resolve(repository: &Repository, revision: &str) -> Result<Oid, anyhow::Error> {
    let found = repository.revparse_single(revision).and_then(|object| object.peel_to_commit());
    Ok(found.with_context(|| format!("there is no commit '{}'", inert(revision)))?.id())
}
