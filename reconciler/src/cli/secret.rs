//! `muster secret`.

use std::process::ExitCode;

use clap::Subcommand;

mod get;
mod identity;
mod import;
mod input;
mod keygen;
mod list;
mod rekey;
mod set;

pub(super) use identity::IdentityArgs;
pub(super) use rekey::{rekeyed, tell_copied};

/// Keep secrets in the state repository, encrypted to the hosts that need them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Keygen(keygen::Args),
    Set(set::Args),
    Get(get::Args),
    Import(Box<import::Args>),
    Rekey(rekey::Args),
    #[command(alias = "list")]
    Ls(list::Args),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Keygen(args) => keygen::run(args),
        Command::Set(args) => set::run(args),
        Command::Get(args) => get::run(args),
        Command::Import(args) => import::run(args),
        Command::Rekey(args) => rekey::run(args),
        Command::Ls(args) => list::run(args),
    }
}
