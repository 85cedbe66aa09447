//! `muster signer`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use super::say::say;
use crate::io::signer::{SignerAddress, serve_signer};
use crate::{io, keys};

/// Hold the keys of render and fresh, and sign for 'muster serve --signer' what they may sign.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the root documents and of the keys.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The socket to listen at: unix:/PATH. Its mode is 0660: who may write to it may have documents signed.
    #[arg(long, value_name = "ADDRESS")]
    listen: SignerAddress,
    /// A file whose first line opens encrypted keys.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    super::log::start();
    let password = args.password_file.as_deref().map(io::password::load_password).transpose()?;
    let dir = args.keys.clone();
    let load =
        move || -> Result<_, anyhow::Error> { Ok(keys::load_held(&dir, password.as_deref().map(String::as_str))?) };
    let (fleet, _) = load().with_context(|| format!("the keys in {}", args.keys.display()))?;
    let held = Box::new(move || load().map(|(_, held)| held));
    serve_signer(&args.listen, fleet, held, || say!("signing at {}", args.listen))?;
    Ok(ExitCode::SUCCESS)
}
