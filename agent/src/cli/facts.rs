//! `muster-agent facts`: what the agent reports of the host.

use super::tell;
use crate::io::facts::load_facts;
use std::process::ExitCode;

pub(super) fn show() -> anyhow::Result<ExitCode> {
    tell(&(serde_json::to_string_pretty(&load_facts()?)? + "\n"));
    Ok(ExitCode::SUCCESS)
}
