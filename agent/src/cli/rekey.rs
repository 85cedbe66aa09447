//! `muster-agent rekey`: other keys for this host.

use super::{Options, state, tell};
use crate::io::host_keys::HostKeys;
use crate::io::status_file::load_status;
use anyhow::{Context, ensure};
use std::process::ExitCode;

pub(super) fn rekey(options: Options) -> anyhow::Result<ExitCode> {
    let folder = options.settings()?.state_folder();
    let status = load_status(&folder).with_context(|| format!("no agent has run with {}", folder.display()))?;
    let id = status.id.context("this host is not enrolled yet: it needs no other key")?;
    ensure!(!status.retired, "this host has left the repository");
    let next = HostKeys::make_next(&folder.join("keys"))?;
    let waits = match state::is_running(&folder) {
        true => "It is announced now, signed by the key of now, which stays in use until then.",
        false => "The agent does not run; it announces the key when it does.",
    };
    tell(&format!(
        "key       {}\nnext      `muster host approve {id}` where the state repository is; it is to show this key\n\n{waits}\n",
        next.public_key().fingerprint()
    ));
    Ok(ExitCode::SUCCESS)
}
