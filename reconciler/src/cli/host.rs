//! `muster host`.

use std::process::ExitCode;

use clap::Subcommand;
use muster_schema::HostId;
use muster_schema::secret::SecretName;

use crate::model::Model;

mod approve;
mod bound;
mod release;
mod retire;
mod revoke;
#[cfg(test)]
mod tests;
mod token;

/// Approve a new host or make a token for one, take its key back, retire it, or take it out of quarantine: each is a
/// signed commit.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Approve(approve::Args),
    Release(release::Args),
    Retire(retire::Args),
    Revoke(revoke::Args),
    Token(token::Args),
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    match &args.command {
        Command::Approve(args) => approve::run(args),
        Command::Release(args) => release::run(args),
        Command::Retire(args) => retire::run(args),
        Command::Revoke(args) => revoke::run(args),
        Command::Token(args) => token::run(args),
    }
}

/// The secrets that are for the host.
fn secrets_of(model: &Model, id: &HostId) -> Vec<SecretName> {
    let Some(host) = model.host(id) else { return Vec::new() };
    let secrets = model.secrets().iter().filter(|(_, secret)| secret.hosts.selects(&host.labels));
    secrets.map(|(name, _)| name.clone()).collect()
}

/// Names in one line.
fn joined(secrets: &[SecretName], between: &str) -> String {
    secrets.iter().map(SecretName::as_str).collect::<Vec<_>>().join(between)
}
