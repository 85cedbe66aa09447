//! `muster broker`.

use std::process::ExitCode;

use clap::Subcommand;

mod setup;

/// Set up the RabbitMQ by which orchestrator and agents speak.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Setup(setup::Args),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Setup(args) => setup::run(args),
    }
}
