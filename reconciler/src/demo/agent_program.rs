//! Finds the agent's program, or builds it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

#[cfg(test)]
mod tests;

/// How cargo is asked for the agent's program. Without the whole workspace it knows the program of its own folder's
/// package only.
const BUILD: [&str; 4] = ["build", "--workspace", "--bin", "muster-agent"];

/// The path of `muster-agent`: beside this program, built first where it is missing.
///
/// # Errors
/// When it is not there and cannot be built.
pub(super) fn find_agent_program() -> Result<PathBuf, anyhow::Error> {
    let own = std::env::current_exe().context("the path of this program")?;
    let agent = own.with_file_name("muster-agent");
    if agent.exists() {
        return Ok(agent);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("muster-agent is not beside {}; building it, which takes minutes the first time", own.display());
    let mut build = Command::new(cargo);
    build.args(BUILD);
    // The same profile as this program's, so that it lands beside it.
    if own.parent().is_some_and(|folder| folder.ends_with("release")) {
        build.arg("--release");
    }
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = build.status().context("cargo could not be started to build muster-agent")?;
    if !status.success() || !agent.exists() {
        bail!(
            "muster-agent could not be built; run 'cargo build --release --workspace --bin muster-agent' and try again"
        );
    }
    Ok(agent)
}
