//! `muster policy`.

use std::process::ExitCode;

use clap::Subcommand;

pub(super) mod judge;
mod rights;
mod test;

/// Explain who may change what.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Args),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Test(args) => test::run(args),
    }
}
