//! `muster secret keygen`.
#![allow(clippy::disallowed_methods, reason = "writes a key file")]

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use anyhow::Context;
use zeroize::Zeroizing;

use crate::cli::say::say;

/// Make the key of an admin, who can read and change every secret.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file for it; nothing is overwritten. Keep it off the orchestrator's machine.
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let identity = Identity::generate();
    let recipient = identity.to_public();
    let text = Zeroizing::new(format!("# public key: {recipient}\n{}\n", identity.to_string().expose_secret()));
    let path = &args.file;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.with_context(|| format!("no key was made in {}", path.display()))?;
    say!("{recipient}");
    Ok(ExitCode::SUCCESS)
}
