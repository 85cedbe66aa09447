//! `muster completions`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// Print a completion script for your shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    clap_complete::generate(args.shell, &mut Cli::command(), "muster", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
