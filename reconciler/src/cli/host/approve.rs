//! `muster host approve`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use muster_schema::fleet_api::PendingView;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::Announce;
use muster_schema::{HostId, PublicKey};

use super::super::confirm::confirm;
use super::super::output::inert;
use super::super::secret::{IdentityArgs, rekeyed, tell_copied};
use super::super::server::Server;
use super::super::state_clone::{CommitArgs, StateClone};
use super::bound::fetch_binding;
use super::{joined, secrets_of};
use crate::cli::say::say;
use crate::enrolment::approve_host_file;
use crate::io::clock;

/// Approve a host that announced itself: put its key into its file, by a signed commit.
///
/// A host that asks for another key ('muster-agent rekey') is approved the same way: the key of before has signed the
/// new one, and is replaced. So is a machine that is the host by a token: its file names its key from then on, so that
/// secrets can be encrypted to it.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The name that the host announced.
    name: HostId,
    /// Its environment; not needed for a host that is declared already.
    #[arg(long = "env", value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// The id that it is to have; the announced name unless given.
    #[arg(long)]
    id: Option<HostId>,
    /// The fingerprint that the host itself shows (muster-agent status); asked for unless given.
    #[arg(long)]
    fingerprint: Option<String>,
    /// Do not ask. Whoever can reach the orchestrator can announce any name: know why you skip this.
    #[arg(long, conflicts_with = "fingerprint")]
    yes: bool,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    commit: CommitArgs,
}

/// The id that it goes by: its own where a key of before proves that, else the name that it claims.
fn name_of(pending: &PendingView) -> &HostId {
    pending.replaces.as_ref().map_or(&pending.announce.name, |before| &before.id)
}

/// Who is to be approved.
struct Newcomer {
    key: PublicKey,
    recipient: String,
    /// The host whose key of before signed this one.
    before: Option<HostIdentity>,
    /// The token by which it is the host already.
    token: Option<String>,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let listed: Vec<PendingView> = args.server.fetch_list("enrolment")?;
    let clone = args.commit.open()?;
    let (newcomer, pending) = match args.bound_machine(&listed, &clone)? {
        Some(newcomer) => (newcomer, None),
        None => {
            let pending = choose(&listed, &args.name, args.fingerprint.as_deref())?;
            (Newcomer::of(pending), Some(pending))
        }
    };
    let id = args.id.as_ref().unwrap_or(&args.name);
    let replaced = newcomer.before.as_ref();
    if let Some(before) = replaced.filter(|before| before.id != *id) {
        bail!("this is a new key of {}; without --id it stays that", before.id);
    }
    let path = host_path(&clone, id, args.environment.as_deref())?;
    check_key_unused(&clone, &newcomer.key, &path)?;
    let before = clone.read(&path)?;
    let text =
        approve_host_file(before.as_deref(), &newcomer.key, &newcomer.recipient, replaced.map(|before| &before.key))
            .with_context(|| path.clone())?;
    if before.as_deref() == Some(text.as_str()) {
        say!("{id} is approved already.");
        return Ok(ExitCode::SUCCESS);
    }
    // Who is the host by a token was approved with that.
    if let Some(pending) = pending.filter(|_| args.fingerprint.is_none() && !args.yes) {
        describe(pending);
        let question = format!("Does {id} itself show this fingerprint (muster-agent status)?");
        ensure!(confirm(&question, "--fingerprint")?, "not approved; nothing was changed");
    }
    let mut edits = BTreeMap::from([(path.clone(), Some(text.into_bytes()))]);
    let model = clone.model_with(&edits)?;
    let secrets = secrets_of(&model, id);
    let identities = args.identity.load()?;
    if let Some(identities) = &identities {
        let rekeyed = rekeyed(&clone, &model, &secrets, identities)?;
        ensure!(rekeyed.copied.is_empty(), "{}", tell_copied(&rekeyed.copied));
        edits.extend(rekeyed.edits);
    }
    let commit = clone.commit(&edits, &newcomer.message(id))?;
    say!("{id} is approved by {commit} ({path}).");
    clone.push()?;
    if !secrets.is_empty() {
        match identities {
            Some(_) => say!("It can read: {}.", joined(&secrets, ", ")),
            None => {
                say!("It waits for secrets; run: muster secret rekey {} --identity FILE", joined(&secrets, " "));
            }
        }
    }
    if newcomer.token.is_none() {
        say!("It enrols within half a minute: muster wait {id}");
    }
    Ok(ExitCode::SUCCESS)
}

impl Newcomer {
    fn of(pending: &PendingView) -> Newcomer {
        let PendingView { key, replaces, announce, .. } = pending;
        Newcomer { key: *key, recipient: announce.recipient.clone(), before: replaces.clone(), token: None }
    }

    fn message(&self, id: &HostId) -> String {
        let fingerprint = self.key.fingerprint();
        match (&self.before, &self.token) {
            (Some(before), _) => format!(
                "hosts: Re-key {id}\n\nKey fingerprint: {fingerprint}\nThe key of before signed it: {}\n",
                before.key.fingerprint()
            ),
            (None, Some(token)) => {
                format!("hosts: Approve {id}\n\nKey fingerprint: {fingerprint}\nIt is the host by the token {token}\n")
            }
            (None, None) => format!("hosts: Approve {id}\n\nKey fingerprint: {fingerprint}\n"),
        }
    }
}

impl Args {
    /// The machine that is this host by a token, where none that is pending is meant. The orchestrator says which one;
    /// the token's document in the clone and the token's signature have to bear that out.
    fn bound_machine(&self, listed: &[PendingView], clone: &StateClone) -> Result<Option<Newcomer>, anyhow::Error> {
        let (name, fingerprint) = (&self.name, &self.fingerprint);
        if fingerprint.is_some() || listed.iter().any(|pending| name_of(pending) == name) {
            return Ok(None);
        }
        let Some(binding) = fetch_binding(&self.server, name)? else { return Ok(None) };
        if let Some(id) = self.id.as_ref().filter(|id| *id != name) {
            bail!("the machine is {name} by a token, and cannot be approved as {id}");
        }
        clone.verify_binding(&binding).with_context(|| {
            format!("the orchestrator says that the token '{}' made a machine {name}, and that is not so", binding.name)
        })?;
        Ok(Some(Newcomer { key: binding.key, recipient: binding.recipient, before: None, token: Some(binding.name) }))
    }
}

/// The one pending host that is meant. A name alone does not do where two claim it.
fn choose<'a>(
    listed: &'a [PendingView],
    name: &HostId,
    fingerprint: Option<&str>,
) -> Result<&'a PendingView, anyhow::Error> {
    let claims: Vec<&PendingView> = listed.iter().filter(|pending| name_of(pending) == name).collect();
    let prints = |claims: &[&PendingView]| {
        claims.iter().map(|pending| format!("  {}", pending.key.fingerprint())).collect::<Vec<_>>().join("\n")
    };
    if let Some(fingerprint) = fingerprint {
        let wanted = fingerprint.trim().to_ascii_lowercase();
        return claims.iter().copied().find(|pending| pending.key.fingerprint() == wanted).with_context(|| {
            format!("no pending host '{name}' has the fingerprint {wanted}; announced:\n{}", prints(&claims))
        });
    }
    match claims[..] {
        [one] => Ok(one),
        [] => bail!("no host has announced itself as '{name}'; is its agent running with this orchestrator's address?"),
        _ => bail!("{} hosts claim the name '{name}'; say which by --fingerprint:\n{}", claims.len(), prints(&claims)),
    }
}

/// Where the host's file is, or is to be.
fn host_path(clone: &StateClone, id: &HostId, environment: Option<&str>) -> Result<String, anyhow::Error> {
    let declared = clone.host_files()?.into_iter().find(|file| file.id == id.as_str());
    match (declared, environment) {
        (Some(file), None) => Ok(file.path),
        (Some(file), Some(environment)) if file.environment == environment => Ok(file.path),
        (Some(file), Some(_)) => bail!("{id} is declared in environment {}, at {}", file.environment, file.path),
        (None, Some(environment)) => {
            let known = clone.environments()?;
            ensure!(
                known.iter().any(|name| name == environment),
                "there is no environment '{environment}'; there are: {}",
                known.join(", ")
            );
            Ok(format!("environments/{environment}/hosts/{id}.yaml"))
        }
        (None, None) => bail!("{id} is not declared yet: say its environment by --env"),
    }
}

/// One key in two files is a fault of the repository; better said now.
fn check_key_unused(clone: &StateClone, key: &PublicKey, path: &str) -> Result<(), anyhow::Error> {
    let text = key.to_string();
    for file in clone.host_files()? {
        if file.path != path && clone.read(&file.path)?.is_some_and(|content| content.contains(&text)) {
            bail!("this key is approved already, as {} in {}", file.id, file.path);
        }
    }
    Ok(())
}

fn describe(pending: &PendingView) {
    let Announce { name, agent, facts, .. } = &pending.announce;
    let version = facts.os.version.as_deref().unwrap_or_default();
    let address = facts.address.map_or("no address".to_owned(), |address| address.to_string());
    say!("{name} says that it is {} {} on {}, {address}", facts.os.id, inert(version), inert(&facts.arch));
    say!("  host name    {}", inert(&facts.hostname));
    say!("  agent        {}", inert(agent));
    say!("  first seen   {} s ago", clock::now().since(pending.first_seen).as_secs());
    if let Some(before) = &pending.replaces {
        say!("  key so far   {}, which signed the new one", before.key.fingerprint());
    }
    say!("  fingerprint  {}", pending.key.fingerprint());
}
