//! `muster host token`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use minisign::KeyPair;
use muster_schema::document::Selector;
use muster_schema::name::is_name;
use muster_schema::{HostId, Timestamp, TokenSecret};
use zeroize::Zeroizing;

use super::super::enrol_command::AgentAddress;
use super::super::state_clone::CommitArgs;
use super::super::token::duration;
use crate::cli::say::say;
use crate::io::clock;
use crate::io::secret_file::write_new_secret;
use crate::model::{Host, LONGEST_TOKEN_LIFE, Model, token_path};

/// Make a token that makes one new machine a host, without comparing fingerprints: by a signed commit.
///
/// The host, or those that the selector selects, stand in the repository without a key. Whoever has the token's secret
/// before it is used or expires can be one of them, so hand it over as you would a password.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The host that the machine is to be.
    #[arg(required_unless_present = "hosts")]
    host: Option<HostId>,
    /// Hosts of which the machine is to be one, by their labels: role=web,tier!=test.
    #[arg(long, value_name = "SELECTOR", conflicts_with = "host")]
    hosts: Option<Selector>,
    /// How long it can be used, at most 30d.
    #[arg(long, default_value = "1h", value_name = "DURATION", value_parser = duration)]
    expires: Duration,
    /// The token's name; made up unless given.
    #[arg(long)]
    name: Option<String>,
    /// Write the secret into this file (mode 0600, nothing is overwritten) and do not show it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    address: AgentAddress,
    #[command(flatten)]
    commit: CommitArgs,
}

pub(in crate::cli) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    ensure!(args.expires <= LONGEST_TOKEN_LIFE, "a token lasts at most 30d");
    let clone = args.commit.open()?;
    let hosts = free_hosts(args, &clone.model()?)?;
    let pair = KeyPair::generate_unencrypted_keypair().context("no key for the token")?;
    let secret = TokenSecret::of_secret_key(&Zeroizing::new(pair.sk.to_bytes())).context("a key of an unknown form")?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => made_up_name(args.host.as_ref(), &secret),
    };
    ensure!(is_name(&name), "'{name}' is not a name: use a-z, 0-9, '-', '.' and '_', at most 63 of them");
    let path = token_path(&name);
    ensure!(clone.read(&path)?.is_none(), "there is a token '{name}' already, at {path}");
    let issued = clock::now();
    let text = document(args, &secret, issued);
    let edits = BTreeMap::from([(path.clone(), Some(text.into_bytes()))]);
    ensure!(clone.model_with(&edits)?.tokens().iter().any(|token| *token.name == *name), "the token would be faulty");
    let whose = args.hosts.as_ref().map_or_else(|| hosts.clone(), |selector| format!("a host of {selector}"));
    let commit = clone.commit(&edits, &format!("enrolment: Make a token for {whose}\n"))?;
    say!("The token '{name}' is made by {commit} ({path}).");
    clone.push()?;
    say!("Until {} it makes one machine {whose}.", seconds(issued.plus(args.expires)));
    if args.hosts.is_some() {
        say!("Without a key in their files are: {hosts}");
    }
    tell_how_to_use(args, &secret)?;
    Ok(ExitCode::SUCCESS)
}

/// The hosts that no file gives a key; it must be one at least.
fn free_hosts(args: &Args, model: &Model) -> Result<String, anyhow::Error> {
    if let Some(id) = &args.host {
        let host = model.host(id).with_context(|| {
            format!("there is no host '{id}' in the state repository; declare it first, without a key")
        })?;
        if host.key.is_some() || host.key_unread {
            bail!("{id} has a key; if that machine is gone: muster host revoke {id}");
        }
        return Ok(id.to_string());
    }
    let selects = |host: &&Host| args.hosts.as_ref().is_some_and(|selector| selector.selects(&host.labels));
    let free = model.hosts().filter(selects).filter(|host| host.key.is_none() && !host.key_unread);
    let free: Vec<&str> = free.map(|host| host.id.as_str()).collect();
    ensure!(!free.is_empty(), "the selector selects no host without a key; declare some first");
    Ok(free.join(", "))
}

/// One that nobody has used, and that tells what it is for.
fn made_up_name(host: Option<&HostId>, secret: &TokenSecret) -> String {
    const LONGEST_STEM: usize = 50;
    let stem: String = host.map_or("hosts", HostId::as_str).chars().take(LONGEST_STEM).collect();
    let fingerprint = secret.public_key().fingerprint().replace('-', "");
    format!("{stem}-{}", fingerprint.chars().take(8).collect::<String>())
}

fn document(args: &Args, secret: &TokenSecret, issued: Timestamp) -> String {
    let whose = match (&args.host, &args.hosts) {
        (Some(id), _) => format!("host: {id}"),
        (None, Some(selector)) => format!("hosts: \"{selector}\""),
        (None, None) => String::new(),
    };
    let expires = issued.plus(args.expires);
    format!("key: \"{}\"\n{whose}\nissued: {}\nexpires: {}\n", secret.public_key(), seconds(issued), seconds(expires))
}

/// To the second: what is signed is what is said.
fn seconds(time: Timestamp) -> Timestamp {
    Timestamp(time.0 - time.0 % 1000)
}

fn tell_how_to_use(args: &Args, secret: &TokenSecret) -> Result<(), anyhow::Error> {
    let text = Zeroizing::new(secret.to_text());
    match &args.out {
        Some(file) => {
            let written = write_new_secret(file, format!("{}\n", *text).as_bytes());
            written.with_context(|| format!("the secret is lost, make another token: {}", file.display()))?;
            say!("Its secret is in {}.", file.display());
        }
        None => say!("Its secret, which is not shown again:\n\n{}\n", *text),
    }
    let line = args.address.command_line()?.unwrap_or_else(|| "muster-agent run …".to_owned());
    say!("On the machine, with the secret in a file of mode 0600:\n\n{line} --token-file FILE");
    Ok(())
}
