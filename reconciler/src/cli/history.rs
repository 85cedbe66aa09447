//! `muster history`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use git2::{Oid, Repository};
use muster_schema::{Address, HostId};
use serde::Serialize;

use super::facts::FactsArgs;
use super::output::{Format, inert, print_document};
use super::say::say;
use crate::io::git::{CommitOrigin, open_repository, read_origin};
use crate::io::repository::list_revision;
use crate::model::{ModelCache, load_model};
use crate::plan::{ResourceChange, change_text, changes_of, detail_lines};
use crate::render::{FactsOfFleet, NotRendered, RenderedHost, render_host};

#[cfg(test)]
mod tests;

/// Show which commits changed what a host is to have, newest first, and what each changed; of one
/// resource with the differences. A merge counts as a whole. Hosts are rendered by the facts of now.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host.
    host: HostId,
    /// Only changes of this resource, as files/etc/motd.
    address: Option<Address>,
    /// Your clone of the state repository, or the bare repository itself. What is committed counts.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The revision to begin with.
    #[arg(long, value_name = "REVISION", default_value = "main")]
    revision: String,
    /// The most commits to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    facts: FactsArgs,
    /// The form of the output; text for a terminal, JSON for a pipe.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

/// A commit that changed something.
#[derive(Debug, Serialize)]
struct Entry {
    #[serde(flatten)]
    origin: CommitOrigin,
    /// What it changed besides resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    changes: Vec<ResourceChange>,
}

/// What a host was to have at one commit.
enum Side {
    /// It was not declared.
    Absent,
    /// The repository did not say, because it was faulty or facts or secrets were missing.
    Untold(String),
    Rendered(Box<RenderedHost>),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let facts = args.facts.load(&args.repo)?;
    let entries = args.entries(&facts)?;
    match Format::or_default(args.output) {
        Format::Table => entries.iter().for_each(|entry| args.tell(entry)),
        format => print_document(format, &entries)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn entries(&self, facts: &FactsOfFleet) -> Result<Vec<Entry>, anyhow::Error> {
        let repository = open_repository(&self.repo)?;
        let commit = repository.revparse_single(&self.revision).and_then(|object| object.peel_to_commit());
        let tip = commit.with_context(|| format!("{} has no revision {}", self.repo.display(), self.revision))?.id();
        let mut cache = ModelCache::default();
        let mut load = |commit: Oid| self.side(commit, facts, &mut cache);
        let (mut entries, mut at, mut new) = (Vec::new(), tip, load(tip)?);
        anyhow::ensure!(
            !matches!(new, Side::Absent) || self.was_declared(&repository, tip)?,
            "there is no host '{}' at {}, and there was none before",
            self.host,
            self.revision
        );
        while entries.len() < self.limit {
            let commit = repository.find_commit(at)?;
            let parent = commit.parent(0).ok();
            let is_same = parent.as_ref().is_some_and(|parent| parent.tree_id() == commit.tree_id());
            let old = match &parent {
                Some(_) if is_same => None,
                Some(parent) => Some(load(parent.id())?),
                None => Some(Side::Absent),
            };
            if let Some(old) = old {
                if let Some((note, changes)) = self.difference(&old, &new) {
                    entries.push(Entry { origin: read_origin(&repository, at)?, note, changes });
                }
                new = old;
            }
            let Some(parent) = parent else { break };
            at = parent.id();
        }
        Ok(entries)
    }

    /// What the host was to have at a commit.
    fn side(&self, commit: Oid, facts: &FactsOfFleet, cache: &mut ModelCache) -> Result<Side, anyhow::Error> {
        let files = list_revision(&self.repo, &commit.to_string())?;
        let (model, found) = load_model(&files, cache);
        let Some(host) = model.host(&self.host) else { return Ok(Side::Absent) };
        if found.iter().any(|finding| finding.holds_environment(&host.environment)) {
            return Ok(Side::Untold(format!("the environment '{}' is faulty", host.environment)));
        }
        Ok(match render_host(&model, &self.host, facts) {
            Ok(rendered) => Side::Rendered(Box::new(rendered)),
            Err(NotRendered::Faulty { found, .. }) => {
                Side::Untold(found.first().map_or_else(String::new, ToString::to_string))
            }
            Err(NotRendered::Waiting { missing, .. }) => {
                let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
                Side::Untold(format!("it waits for {}", missing.join(", ")))
            }
        })
    }

    /// Whether some earlier commit of the watched branch declares the host.
    fn was_declared(&self, repository: &Repository, tip: Oid) -> Result<bool, anyhow::Error> {
        let mut walk = repository.revwalk()?;
        walk.simplify_first_parent()?;
        walk.push(tip)?;
        let file = format!("/hosts/{}.yaml", self.host);
        for commit in walk {
            let tree = repository.find_commit(commit?)?.tree()?;
            let Some(environments) = tree.get_name("environments") else { continue };
            let Ok(environments) = repository.find_tree(environments.id()) else { continue };
            let has = |name: &str| environments.get_path(format!("{name}{file}").as_ref()).is_ok();
            if environments.iter().any(|entry| entry.name().is_ok_and(has)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What lies between two sides; none where it is nothing that was asked for.
    fn difference(&self, old: &Side, new: &Side) -> Option<(Option<String>, Vec<ResourceChange>)> {
        let asked = |mut changes: Vec<ResourceChange>| {
            changes.retain(|change| self.address.as_ref().is_none_or(|address| change.address == *address));
            changes
        };
        match (old, new) {
            (Side::Absent, Side::Absent) | (Side::Untold(_), Side::Untold(_)) => None,
            (Side::Absent, Side::Rendered(new)) => Some((Some("declared".to_owned()), asked(changes_of(None, new))))
                .filter(|(_, changes)| self.address.is_none() || !changes.is_empty()),
            (_, Side::Absent) => Some((Some("not declared any more".to_owned()), Vec::new())),
            (_, Side::Untold(reason)) => Some((Some(format!("cannot be told: {reason}")), Vec::new())),
            (Side::Untold(_), Side::Rendered(_)) => Some((Some("can be told again".to_owned()), Vec::new())),
            (Side::Rendered(old), Side::Rendered(new)) => {
                Some((None, asked(changes_of(Some(old), new)))).filter(|(_, changes)| !changes.is_empty())
            }
        }
    }

    fn tell(&self, entry: &Entry) {
        let Entry { origin, note, changes } = entry;
        say!("{}  {}  {}  {}", origin.commit.short(), origin.at, inert(&origin.author), inert(&origin.subject));
        if let Some(note) = note {
            say!("  {}", inert(note));
        }
        for change in changes {
            say!("  {}", change_text(change));
            if self.address.is_some() {
                detail_lines(change).iter().for_each(|line| say!("      {line}"));
            }
        }
    }
}
