//! `muster change`.

use std::process::ExitCode;

use clap::Subcommand;

mod approve;
mod merge;
mod prune;

/// Bring changes of others onto the watched branch.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Approve(approve::Args),
    Merge(merge::Args),
    Prune(prune::Args),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Approve(args) => approve::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Prune(args) => prune::run(args),
    }
}
