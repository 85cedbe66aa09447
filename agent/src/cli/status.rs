//! `muster-agent status`: how the host fares, and what is to be done next.

use super::{Options, state, tell};
use crate::io::status_file::{Status, load_status};
use anyhow::Context;
use muster_schema::state::Health;
use std::process::ExitCode;

#[cfg(test)]
mod tests;

pub(super) fn show(options: Options, as_json: bool) -> anyhow::Result<ExitCode> {
    let folder = options.settings()?.state_folder();
    let status = load_status(&folder).with_context(|| format!("no agent has run with {}", folder.display()))?;
    tell(&match as_json {
        true => serde_json::to_string_pretty(&status)? + "\n",
        false => render(&status, state::is_running(&folder)),
    });
    Ok(ExitCode::SUCCESS)
}

fn render(status: &Status, running: bool) -> String {
    let mut lines = Vec::new();
    lines.push(match &status.id {
        Some(id) => format!("host      {id}"),
        None => format!("host      not enrolled; it would like to be {}", status.name),
    });
    lines.push(format!("key       {}", status.key));
    lines.push(match running {
        true => format!("agent     {}, process {}", status.version, status.pid),
        false => format!("agent     {}, not running; this is how it left the host", status.version),
    });
    lines.push(match &status.applied {
        Some(applied) => format!("revision  {} (serial {})", applied.revision, applied.serial),
        None => "revision  none".to_owned(),
    });
    lines.push(format!("health    {}/{}: {}", status.health, status.reason, status.message));
    lines.extend(status.counts.iter().map(|(state, count)| format!("{count:>8}  {state}")));
    lines.extend(next_step(status, running).map(|next| format!("next      {next}")));
    lines.join("\n") + "\n"
}

/// What a person is to do, if anything.
fn next_step(status: &Status, running: bool) -> Option<String> {
    if !running {
        return Some("start the agent: systemctl start muster-agent, or service muster-agent start".to_owned());
    }
    let Some(id) = &status.id else {
        let name = &status.name;
        return Some(format!("`muster host approve {name}` where the state repository is; it is to show the same key"));
    };
    if status.retired {
        return Some("the host has left the repository and is left as it is; the agent may be removed".to_owned());
    }
    match status.health {
        Health::Degraded => Some(format!("`muster-agent plan` says what differs, `muster why {id}` why")),
        Health::Unknown => Some("see whether this host reaches the orchestrator, and whether that runs".to_owned()),
        _ => None,
    }
}
