//! `muster secret get`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use muster_schema::secret::SecretName;

use super::super::state_clone::RepositoryArgs;
use super::IdentityArgs;
use crate::model::ciphertext_path;
use crate::sealing::open;

/// Print a secret, byte for byte. It needs an admin's key.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name.
    name: SecretName,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    repository: RepositoryArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let identities = args.identity.require()?;
    let ciphertext = args.repository.read_bytes(&ciphertext_path(&args.name))?;
    let ciphertext = ciphertext.with_context(|| format!("there is no secret '{}'", args.name))?;
    let secret = open(&args.name, &ciphertext, &identities)?;
    if std::io::stdout().is_terminal() {
        eprintln!("note: the secret stands in this terminal's history now");
    }
    let mut out = std::io::stdout().lock();
    out.write_all(&secret).and_then(|()| out.flush()).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}
