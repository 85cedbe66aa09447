//! `muster key generate`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use muster_schema::FleetName;

use super::super::progress;
use super::super::say::say;
use crate::{io, keys};

/// Make root, render, fresh and status keys and the first root document.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder for the keys; nothing in it is overwritten.
    dir: PathBuf,
    /// The fleet's name, as in muster.yaml.
    #[arg(long)]
    fleet: FleetName,
    /// A file whose first line encrypts the minisign keys.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let Args { dir, fleet, password_file } = args;
    let password = password_file.as_deref().map(io::password::load_password).transpose()?;
    let making = progress::spinner("making keys");
    let fingerprint = keys::generate(dir, fleet, io::clock::now(), password.as_deref().map(String::as_str))
        .with_context(|| format!("no keys were made in {}", dir.display()))?;
    drop(making);
    say!("root fingerprint: {fingerprint}");
    say!("Move {} to a safe place off this machine; serving does not need it.", dir.join("root.key").display());
    Ok(ExitCode::SUCCESS)
}
