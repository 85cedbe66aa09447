//! `muster-agent plan`: what would be changed now.

use super::{Options, state, tell};
use crate::apply::hold_reverted;
use crate::converge::{count_changes, look_at_host, resources_at};
use crate::extension::Extensions;
use crate::host::{HostRead, Notes, RealHost, Scope};
use crate::io::clock;
use crate::io::status_file::load_status;
use crate::ledger::{Entry, Ledger};
use crate::plan::{ContactRule, Plan, Schedule, describe_changes};
use crate::vault::Vault;
use anyhow::Context;
use muster_schema::Address;
use muster_schema::json;
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};
use muster_schema::resource::Enforcement;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

#[cfg(test)]
mod tests;

pub(super) fn show(options: Options, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = options.settings()?;
    let extensions = state::extensions(settings.plugins_folder());
    let looked =
        look(&settings.state_folder(), &settings.root_folder(), settings.mode.unwrap_or_default(), extensions)?;
    let Looked { schedule, plan, scope, ledger } = &looked;
    let contact = ContactRule { within: settings.confirm_within()?, scope: *scope, ledger };
    let lines = describe_changes(schedule, plan, contact);
    tell(&match as_json {
        true => {
            let json = |(address, what)| serde_json::json!({"address": address, "change": what});
            format!("{:#}\n", lines.map(json).collect::<serde_json::Value>())
        }
        false => lines.map(|(address, what)| format!("{address}: {what}\n")).collect(),
    });
    Ok(if count_changes(plan) == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// A plan, and what tells which of its changes are risky.
struct Looked {
    schedule: Schedule,
    plan: Plan,
    scope: Scope,
    ledger: BTreeMap<Address, Entry>,
}

/// Looks at the host under `root`, beside a daemon that may be at work in `folder`. Nothing there is locked, opened
/// for writing or made.
fn look(folder: &Path, root: &Path, mode: Enforcement, extensions: Arc<Extensions>) -> anyhow::Result<Looked> {
    let status = load_status(folder).with_context(|| format!("no agent has run with {}", folder.display()))?;
    let host = RealHost::open(root)?.with_notes(Notes::look(&folder.join("notes")));
    let host = host.with_extensions(extensions);
    let secrets = state::secrets(folder).ok();
    let host = match &secrets {
        Some(secrets) => host.with_secrets(secrets.clone()),
        None => host,
    };
    let (scope, ledger) = (host.scope(), Ledger::look(&folder.join("ledger"))?);
    let applied = status.applied.filter(|_| !status.retired).map(|applied| applied.manifest);
    let Some(digest) = applied else {
        return Ok(Looked { schedule: Schedule::default(), plan: Plan::default(), scope, ledger });
    };
    let blobs = Vault::look(&folder.join("blobs"));
    let bytes = blobs.load_by_digest(&digest);
    let bytes = bytes.with_context(|| format!("the manifest {digest} is not in {}", folder.display()))?;
    let manifest: Manifest = json::load_strict(&bytes, MAX_MANIFEST_BYTES)?;
    let mut resources = manifest.resources;
    // What cannot be read is told by each resource that needs it.
    let _ = secrets.map(|secrets| secrets.fill(&mut resources, &blobs));
    let resources = resources_at(resources, clock::now());
    let (schedule, plan) = look_at_host(&host, &ledger, &resources, mode)?;
    let plan = hold_reverted(&status.held, &schedule, plan);
    Ok(Looked { schedule, plan, scope, ledger })
}
