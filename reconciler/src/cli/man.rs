//! `muster man`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use super::Cli;

/// Write the manual pages, one for each command, into a folder that is there: `muster man
/// /usr/local/share/man/man1`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder.
    dir: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let written = clap_mangen::generate_to(Cli::command(), &args.dir);
    written.with_context(|| format!("{} cannot be written into", args.dir.display()))?;
    Ok(ExitCode::SUCCESS)
}
