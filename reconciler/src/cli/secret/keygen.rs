//! `muster secret keygen`.

use std::path::PathBuf;
use std::process::ExitCode;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use anyhow::Context;
use zeroize::Zeroizing;

use crate::cli::say::say;
use crate::io::secret_file::write_new_secret;

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
    write_new_secret(path, text.as_bytes()).with_context(|| format!("no key was made in {}", path.display()))?;
    say!("{recipient}");
    Ok(ExitCode::SUCCESS)
}
