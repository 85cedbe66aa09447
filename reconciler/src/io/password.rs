//! Passwords of key files.
#![allow(clippy::disallowed_methods, reason = "reads a password file")]

use std::path::Path;

use anyhow::Context;
use zeroize::Zeroizing;

/// The first line of `path`.
///
/// # Errors
/// When the file cannot be read.
pub fn load_password(path: &Path) -> Result<Zeroizing<String>, anyhow::Error> {
    let text = std::fs::read_to_string(path).with_context(|| format!("password file {}", path.display()))?;
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
