//! `muster key create`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::super::say::say;
use crate::io;
use crate::io::signer::{FileSigner, Signer};

/// Make a key pair that has no role yet: FILE.key and FILE.pub, in minisign's form.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of both files, without an ending; nothing is overwritten.
    file: PathBuf,
    /// A file whose first line encrypts the secret key.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let password = args.password_file.as_deref().map(io::password::load_password).transpose()?;
    let comment = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let key = FileSigner::generate(&args.file, &comment, password.as_deref().map(String::as_str))?.public_key();
    say!("key {}, fingerprint {}", key.id(), key.fingerprint());
    say!("{}: give this to who runs the ceremony", args.file.with_extension("pub").display());
    Ok(ExitCode::SUCCESS)
}
