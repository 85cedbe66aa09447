//! Which state repository a command looks at: a folder, or a revision in Git.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::io::repository::{list_folder, list_revision};
use crate::model::RepositoryFiles;
use crate::render::FactsOfFleet;

use super::facts::FactsArgs;

/// The arguments that say which.
#[derive(Debug, clap::Args)]
pub(super) struct StateArgs {
    /// A Git repository, bare or not: its revision is read, not the files that lie there.
    #[arg(long, value_name = "PATH")]
    repo: Option<PathBuf>,
    /// The revision to read, with --repo.
    #[arg(long, value_name = "REVISION", default_value = "main", requires = "repo")]
    revision: String,
    #[command(flatten)]
    facts: FactsArgs,
}

impl StateArgs {
    /// The files of the state repository: those of `dir`, unless a Git repository is named.
    pub(super) fn list(&self, dir: &Path) -> Result<RepositoryFiles, anyhow::Error> {
        match &self.repo {
            Some(repo) => Ok(list_revision(repo, &self.revision)?),
            None => list_folder(dir).with_context(|| format!("{} is not looked at", dir.display())),
        }
    }

    /// The facts that are known.
    pub(super) fn facts(&self, dir: &Path) -> Result<FactsOfFleet, anyhow::Error> {
        self.facts.load(self.repo.as_deref().unwrap_or(dir))
    }
}
