//! `muster-agent status`: how the host fares.

use super::Options;
use crate::io::status_file::load_status;
use anyhow::Context;
use std::process::ExitCode;

pub(super) fn show(options: Options, as_json: bool) -> anyhow::Result<ExitCode> {
    let folder = options.settings()?.state_folder();
    let status = load_status(&folder).with_context(|| format!("no agent has run with {}", folder.display()))?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(ExitCode::SUCCESS);
    }
    let id = status.id.as_ref().map_or("not enrolled", |id| id.as_str());
    println!("host      {id}");
    match &status.applied {
        Some(applied) => println!("revision  {} (serial {})", applied.revision, applied.serial),
        None => println!("revision  none"),
    }
    println!("health    {}/{}: {}", status.health, status.reason, status.message);
    for (state, count) in &status.counts {
        println!("{count:>8}  {state}");
    }
    Ok(ExitCode::SUCCESS)
}
