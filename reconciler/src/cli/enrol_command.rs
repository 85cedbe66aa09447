//! `muster enrol-command`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use muster_schema::{HostId, Sha256Digest};

use super::say::say;
use crate::io::bus::BrokerUrl;
use crate::keys;

#[cfg(test)]
mod tests;

/// Print the command that starts a new host's agent.
///
/// It holds the fingerprint of the fleet's root, so that the host trusts
/// nobody whom it meets first. Take it to the host by a way that you trust.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder with the fleet's root documents; the newest counts.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// The orchestrator's address, as the host reaches it.
    #[arg(long)]
    url: String,
    /// The broker's address, where hosts use one; may hold a password.
    #[arg(long, value_name = "URL")]
    bus: Option<String>,
    /// The name that the host is to claim; its own host name unless given.
    #[arg(long)]
    name: Option<HostId>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let line = command_line(&args.url, args.bus.as_deref(), root_fingerprint(&args.keys)?)?;
    match &args.name {
        Some(name) => say!("{line} --name {name}"),
        None => say!("{line}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// What a command that starts an agent needs to know, where it is to be told.
#[derive(Debug, clap::Args)]
pub(super) struct AgentAddress {
    /// The folder with the fleet's root documents; the newest counts.
    #[arg(long, value_name = "DIR", requires = "url")]
    keys: Option<PathBuf>,
    /// The orchestrator's address, as the host reaches it.
    #[arg(long, requires = "keys")]
    url: Option<String>,
    /// The broker's address, where hosts use one; may hold a password.
    #[arg(long, value_name = "URL", requires = "url")]
    bus: Option<String>,
}

impl AgentAddress {
    /// The command that starts an agent; none where it is not told what that needs.
    pub(super) fn command_line(&self) -> Result<Option<String>, anyhow::Error> {
        let (Some(keys), Some(url)) = (&self.keys, &self.url) else { return Ok(None) };
        command_line(url, self.bus.as_deref(), root_fingerprint(keys)?).map(Some)
    }
}

fn root_fingerprint(keys: &Path) -> Result<Sha256Digest, anyhow::Error> {
    let missing = || format!("{} holds no root document", keys.display());
    keys::load_root_fingerprint(keys).with_context(missing)?.with_context(missing)
}

fn command_line(url: &str, bus: Option<&str>, fingerprint: Sha256Digest) -> Result<String, anyhow::Error> {
    let is_known = url.starts_with("http://") || url.starts_with("https://");
    ensure!(is_known, "'{url}' is no http:// or https:// address");
    let mut line = format!("muster-agent run --url {} --root-fingerprint {fingerprint}", quote(url));
    if let Some(bus) = bus {
        bus.parse::<BrokerUrl>()?;
        line += &format!(" --bus {}", quote(bus));
    }
    Ok(line)
}

/// For a POSIX shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/.-_@%+=,".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
