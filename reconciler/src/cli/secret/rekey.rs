//! `muster secret rekey`.

use std::process::ExitCode;

use age::x25519::Identity;
use anyhow::{Context, bail, ensure};
use muster_schema::secret::SecretName;

use super::super::state_clone::{CommitArgs, StateClone};
use super::{IdentityArgs, tell_without_recipient, without_recipient};
use crate::cli::say::say;
use crate::model::{Model, ciphertext_path};
use crate::sealing::{Edits, open, recipients, seal};

/// Encrypt secrets anew to those who can read them now, by a signed commit: after hosts joined, left, or have new keys.
///
/// Nothing changes on hosts that had it. Who has left could read it: then set another one as well.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Their names.
    #[arg(required_unless_present = "all")]
    names: Vec<SecretName>,
    /// All secrets.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    commit: CommitArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let identities = args.identity.require()?;
    let clone = args.commit.open()?;
    let model = clone.model()?;
    let all = model.secrets().iter().map(|(name, _)| name.clone());
    let names: Vec<SecretName> = if args.all { all.collect() } else { args.names.clone() };
    let secrets = names.iter().filter_map(|name| model.secrets().get(name));
    let without = tell_without_recipient(&secrets.flat_map(|secret| without_recipient(&model, secret)).collect());
    let Rekeyed { edits, done, left, copied } = rekeyed(&clone, &model, &names, &identities)?;
    if let Some(told) = without {
        eprintln!("{told}");
    }
    ensure!(copied.is_empty(), "{}", tell_copied(&copied));
    if done.is_empty() {
        say!("Each of them is encrypted to those who can read it now; nothing was changed.");
        return Ok(ExitCode::SUCCESS);
    }
    let list: Vec<String> = done.iter().map(ToString::to_string).collect();
    let commit = clone.commit(&edits, &format!("secrets: Re-encrypt {}\n", list.join(", ")))?;
    say!("Re-encrypted by {commit}: {}.", list.join(", "));
    if !left.is_empty() {
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        say!("Some can read it no longer, and could until now: set another secret in place of {}.", left.join(", "));
    }
    clone.push()?;
    Ok(ExitCode::SUCCESS)
}

/// What re-encryption comes to.
#[derive(Debug, Default)]
pub(in crate::cli) struct Rekeyed {
    /// What changes in the repository.
    pub(in crate::cli) edits: Edits,
    /// The secrets that are encrypted anew.
    pub(in crate::cli) done: Vec<SecretName>,
    /// Those of them that somebody can read no longer.
    pub(in crate::cli) left: Vec<SecretName>,
    /// Those that are left as they are, because their ciphertext is or was another secret's, with that one.
    pub(in crate::cli) copied: Vec<(SecretName, SecretName)>,
}

/// These secrets, encrypted to those who can read them by `model`, as far as that differs.
pub(in crate::cli) fn rekeyed(
    clone: &StateClone,
    model: &Model,
    names: &[SecretName],
    identities: &[Identity],
) -> Result<Rekeyed, anyhow::Error> {
    let mut rekeyed = Rekeyed::default();
    let mut history = None;
    for name in names {
        let Some(secret) = model.secrets().get(name) else {
            bail!("there is no secret '{name}' in secrets/recipients.yaml");
        };
        let to = recipients(model, &model.secrets().admins, &secret.sealers, &secret.hosts)?;
        if to == secret.encrypted_to {
            continue;
        }
        let ciphertext = clone.read_bytes(&ciphertext_path(name))?;
        let ciphertext = ciphertext.with_context(|| format!("{} is missing", ciphertext_path(name)))?;
        let history = match &mut history {
            Some(history) => history,
            unread => unread.insert(clone.secret_history()?),
        };
        if let Some(other) = history.find_copied(name, &ciphertext) {
            rekeyed.copied.push((name.clone(), other.clone()));
            continue;
        }
        let plaintext = open(name, &ciphertext, identities)?;
        ensure!(!plaintext.is_empty(), "the secret {name} is empty");
        rekeyed.edits.extend(seal(name, &plaintext, &to)?);
        rekeyed.done.push(name.clone());
        if !secret.encrypted_to.is_subset(&to) {
            rekeyed.left.push(name.clone());
        }
    }
    Ok(rekeyed)
}

/// Why secrets are not encrypted anew, a line each, and what to do.
pub(in crate::cli) fn tell_copied(copied: &[(SecretName, SecretName)]) -> String {
    let lines = copied.iter().map(|(name, other)| {
        format!(
            "the ciphertext of {name} is or was that of {other}: if {name} may have its value, say so by setting it: \
             muster secret get {other} --identity FILE | muster secret set {name}; if not, somebody copied it there"
        )
    });
    lines.collect::<Vec<String>>().join("\n")
}
