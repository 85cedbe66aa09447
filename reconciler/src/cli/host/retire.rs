//! `muster host retire`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::ensure;
use muster_schema::HostId;

use super::super::confirm::confirm;
use super::super::state_clone::CommitArgs;
use crate::cli::say::say;

/// Retire a host: remove its file, by a signed commit. Its agent stops enforcing and leaves the host as it is.
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
    let file = clone.host_file(id)?;
    if !args.yes {
        say!("{id} is in environment {}, at {}.", file.environment, file.path);
        ensure!(confirm(&format!("Retire {id}?"), "--yes")?, "not retired; nothing was changed");
    }
    let edits = BTreeMap::from([(file.path.clone(), None)]);
    let commit = clone.commit(&edits, &format!("hosts: Retire {id}\n"))?;
    say!("{id} is retired by {commit} ({} is removed).", file.path);
    clone.push()?;
    Ok(ExitCode::SUCCESS)
}
