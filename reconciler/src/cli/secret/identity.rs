//! The key of an admin.
#![allow(clippy::disallowed_methods, reason = "reads a key file")]

use std::path::PathBuf;

use age::x25519;
use anyhow::Context;
use zeroize::Zeroizing;

use crate::sealing::load_identities;

/// Whose key opens secrets.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct IdentityArgs {
    /// The file with an admin's age key, as 'muster secret keygen' or age-keygen makes it.
    #[arg(long, value_name = "FILE", env = "MUSTER_IDENTITY")]
    identity: Option<PathBuf>,
}

impl IdentityArgs {
    /// The keys; none where no file is named.
    pub(in crate::cli) fn load(&self) -> Result<Option<Vec<x25519::Identity>>, anyhow::Error> {
        let Some(path) = &self.identity else { return Ok(None) };
        let context = || format!("identity file {}", path.display());
        let text = Zeroizing::new(std::fs::read_to_string(path).with_context(context)?);
        load_identities(&text).map(Some).with_context(context)
    }

    /// The keys, which there must be.
    pub(in crate::cli) fn require(&self) -> Result<Vec<x25519::Identity>, anyhow::Error> {
        self.load()?.context("whose key opens it? Say it by --identity FILE")
    }
}
