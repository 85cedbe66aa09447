//! Which facts a command works with.

use std::path::{Path, PathBuf};

use crate::io::facts_folder::load_facts_folder;
use crate::io::git::load_facts_branch;
use crate::render::FactsOfFleet;

/// The argument that says which.
#[derive(Debug, clap::Args)]
pub(super) struct FactsArgs {
    /// A folder of facts, <host>.json at any depth; without it the branch status of the repository, where it has one.
    #[arg(long, value_name = "DIR")]
    facts: Option<PathBuf>,
}

impl FactsArgs {
    /// The facts that are known to someone who works in the repository `dir`, or in a plain folder.
    pub(super) fn load(&self, dir: &Path) -> Result<FactsOfFleet, anyhow::Error> {
        match &self.facts {
            Some(folder) => Ok(load_facts_folder(folder)?),
            None => Ok(load_facts_branch(dir)?),
        }
    }
}
