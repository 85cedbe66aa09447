//! `muster host revoke`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use muster_schema::{HostId, PublicKey};

use super::super::confirm::confirm;
use super::super::secret::{IdentityArgs, rekeyed, tell_copied};
use super::super::server::Server;
use super::super::state_clone::{CommitArgs, StateClone};
use super::bound::fetch_binding;
use super::{joined, secrets_of};
use crate::cli::say::say;
use crate::enrolment::revoke_host_file;

/// Take a host's key back: out of its file, by a signed commit. What has the key is refused from then on.
///
/// Where a machine is the host by a token, its file names no key: the orchestrator tells which one it is, and the token's
/// document in the clone and its signature have to bear that out. The file names keys that were taken back, so that no
/// token gives them to the host again.
///
/// The host stays declared, and can be approved again with new keys. Its secrets are encrypted anew in the same commit
/// where an admin's key is at hand.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The host.
    id: HostId,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    commit: CommitArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let id = &args.id;
    let clone = args.commit.open()?;
    let file = clone.host_file(id)?;
    let text = clone.read(&file.path)?.unwrap_or_default();
    let bound = args.bound_key(&clone)?;
    let Some(text) = revoke_host_file(&text, bound.as_ref()).with_context(|| file.path.clone())? else {
        say!("{id} has no key: nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    };
    if !args.yes {
        say!("{id} is in environment {}, at {}.", file.environment, file.path);
        ensure!(confirm(&format!("Take the key of {id} back?"), "--yes")?, "not revoked; nothing was changed");
    }
    let mut edits = BTreeMap::from([(file.path.clone(), Some(text.into_bytes()))]);
    let model = clone.model_with(&edits)?;
    let secrets = secrets_of(&model, id);
    let identities = args.identity.load()?;
    if let Some(identities) = &identities {
        let rekeyed = rekeyed(&clone, &model, &secrets, identities)?;
        // The key is taken back all the same.
        if !rekeyed.copied.is_empty() {
            eprintln!("{}", tell_copied(&rekeyed.copied));
        }
        edits.extend(rekeyed.edits);
    }
    let commit = clone.commit(&edits, &format!("hosts: Revoke the key of {id}\n"))?;
    say!("The key of {id} is taken back by {commit} ({}).", file.path);
    clone.push()?;
    if !secrets.is_empty() {
        let names = joined(&secrets, " ");
        if identities.is_none() {
            say!("Encrypt its secrets to those who remain: muster secret rekey {names} --identity FILE");
        }
        say!("Whoever has the host's keys could read {}: set others in their place.", joined(&secrets, ", "));
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The key of the machine that is the host by a token, as its file does not name it. What the orchestrator alone
    /// says is taken back from nobody: it could name any key.
    fn bound_key(&self, clone: &StateClone) -> Result<Option<PublicKey>, anyhow::Error> {
        let (model, id) = (clone.model()?, &self.id);
        if model.host(id).is_none_or(|host| host.key.is_some() || host.key_unread) {
            return Ok(None);
        }
        let binding = fetch_binding(&self.server, id).context("whether a token made a machine this host")?;
        let Some(binding) = binding else { return Ok(None) };
        clone.verify_binding(&binding).with_context(|| {
            format!(
                "the orchestrator says that the token '{}' made a machine {id}, and that is not so; nothing was \
                 changed\n  hint: if you know the key from elsewhere, write it into 'revoked_keys' of the host's file",
                binding.name
            )
        })?;
        Ok(Some(binding.key))
    }
}
