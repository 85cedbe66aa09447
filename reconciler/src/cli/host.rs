//! `muster host`.

use std::process::ExitCode;

use clap::Subcommand;

mod approve;
mod retire;
#[cfg(test)]
mod tests;

/// Approve a new host, or retire one: each is a signed commit.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Approve(approve::Args),
    Retire(retire::Args),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Approve(args) => approve::run(args),
        Command::Retire(args) => retire::run(args),
    }
}
