//! `muster-agent facts`: what the agent reports of the host.

use crate::io::facts::load_facts;
use std::process::ExitCode;

pub(super) fn show() -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&load_facts()?)?);
    Ok(ExitCode::SUCCESS)
}
