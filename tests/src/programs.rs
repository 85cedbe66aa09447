//! The programs under test, as the build left them.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

/// The orchestrator and the operator's command line.
///
/// # Errors
/// When it has not been built.
pub fn muster() -> Result<PathBuf> {
    built("muster")
}

/// The daemon on each host.
///
/// # Errors
/// When it has not been built.
pub fn agent() -> Result<PathBuf> {
    built("muster-agent")
}

/// Cargo builds the programs of other crates beside the test, not for it: `make test` does that first.
fn built(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("where the test itself is")?;
    let profile = test.parent().and_then(|deps| deps.parent()).context("tests are built into PROFILE/deps")?;
    let program = profile.join(name);
    ensure!(program.exists(), "{} is not built: run `cargo build --workspace --bins`", program.display());
    Ok(program)
}
