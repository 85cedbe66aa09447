//! `muster secret`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Subcommand;
use muster_schema::HostId;

use crate::model::{Model, Secret};

mod get;
mod identity;
mod import;
mod input;
mod keygen;
mod list;
mod rekey;
mod set;
#[cfg(test)]
mod tests;

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

/// What to say of hosts that a secret is for and that it is not encrypted to, because their files name no recipient:
/// how they get one. None where there is no such host.
fn tell_without_recipient(hosts: &BTreeSet<HostId>) -> Option<String> {
    let names: Vec<&str> = hosts.iter().map(HostId::as_str).collect();
    let [first, ..] = names[..] else { return None };
    let (list, them) = (names.join(", "), if names.len() == 1 { first } else { "HOST" });
    Some(format!(
        "no recipient in the host's file, so that nothing is encrypted to it, also where a token made a machine the \
         host: {list}\n  try: muster host approve {them} --identity FILE"
    ))
}

/// The hosts that a secret is for and whose files name no recipient.
fn without_recipient(model: &Model, secret: &Secret) -> BTreeSet<HostId> {
    let selected = model.hosts().filter(|host| secret.hosts.selects(&host.labels) && host.recipient.is_none());
    selected.map(|host| host.id.clone()).collect()
}
