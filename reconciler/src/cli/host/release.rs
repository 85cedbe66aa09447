//! `muster host release`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::ensure;
use muster_schema::HostId;

use super::super::confirm::confirm;
use super::super::state_clone::CommitArgs;
use crate::cli::say::say;

/// Take a host out of quarantine: two machines spoke with its key, and one of them is stopped. By a signed commit.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The host.
    id: HostId,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    commit: CommitArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let id = &args.id;
    let clone = args.commit.open()?;
    clone.host_file(id)?;
    if !args.yes {
        say!("Whoever else has the key of {id} can read what is for it. If that may be a stranger: muster host revoke");
        ensure!(confirm(&format!("Is only one machine left that is {id}?"), "--yes")?, "not released");
    }
    let message = format!("hosts: Release {id}\n\nMuster-Release: {id}\n");
    let commit = clone.commit(&BTreeMap::new(), &message)?;
    say!("{id} is released by {commit}.");
    clone.push()?;
    Ok(ExitCode::SUCCESS)
}
