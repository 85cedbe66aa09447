//! `muster enrol-command`.

use std::path::PathBuf;
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
    let missing = || format!("{} holds no root document", args.keys.display());
    let fingerprint = keys::load_root_fingerprint(&args.keys).with_context(missing)?.with_context(missing)?;
    say!("{}", command_line(args, fingerprint)?);
    Ok(ExitCode::SUCCESS)
}

fn command_line(args: &Args, fingerprint: Sha256Digest) -> Result<String, anyhow::Error> {
    ensure!(
        args.url.starts_with("http://") || args.url.starts_with("https://"),
        "'{}' is no http:// or https:// address",
        args.url
    );
    let mut line = format!("muster-agent run --url {} --root-fingerprint {fingerprint}", quote(&args.url));
    if let Some(bus) = &args.bus {
        bus.parse::<BrokerUrl>()?;
        line += &format!(" --bus {}", quote(bus));
    }
    if let Some(name) = &args.name {
        line += &format!(" --name {name}");
    }
    Ok(line)
}

/// For a POSIX shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || ":/.-_@%+=,".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
