//! `muster secret set`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use muster_schema::document::Selector;
use muster_schema::secret::SecretName;

use super::super::state_clone::CommitArgs;
use super::input::read_secret;
use crate::cli::say::say;
use crate::model::{Model, RECIPIENTS_FILE};
use crate::sealing::{recipients, seal, with_rule};

/// Set a secret: encrypt it to the admins and the hosts that it is for, by a signed commit.
///
/// It is read from standard input; at a terminal it is asked for, and not shown.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name, as templates have it: {{ secret('NAME') }}.
    name: SecretName,
    /// The hosts that can read it, by their labels, as role=db; needed for a new one.
    #[arg(long, value_name = "SELECTOR")]
    hosts: Option<Selector>,
    /// The public key of an admin (age1…), where secrets/recipients.yaml names none yet.
    #[arg(long, value_name = "RECIPIENT")]
    admin: Vec<String>,
    /// Read the secret from a file, byte for byte.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    #[command(flatten)]
    commit: CommitArgs,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let name = &args.name;
    let clone = args.commit.open()?;
    let model = clone.model()?;
    let rules = clone.read(RECIPIENTS_FILE)?;
    let (document, changed) = with_rule(rules.as_deref(), name, args.hosts.as_ref(), &args.admin)?;
    let Some(hosts) = document.secrets.get(name.as_str()).map(|rule| &rule.hosts) else {
        anyhow::bail!("nothing says which hosts can read the secret {name}");
    };
    // Before anything is asked for.
    let to = recipients(&model, &document.admins, document.sealers_of(name.as_str()), hosts)?;
    let secret = read_secret(args.from_file.as_deref())?;
    ensure!(!secret.is_empty(), "the secret is empty; nothing was changed");
    let mut edits = seal(name, &secret, &to)?;
    edits.extend(changed.map(|text| (RECIPIENTS_FILE.to_owned(), Some(text.into_bytes()))));
    let commit = clone.commit(&edits, &format!("secrets: Set {name}\n"))?;
    say!("{name} is set by {commit}, for {}.", readers(&model, hosts));
    clone.push()?;
    Ok(ExitCode::SUCCESS)
}

/// Who can read it, for people.
fn readers(model: &Model, hosts: &Selector) -> String {
    let selected = model.hosts().filter(|host| hosts.selects(&host.labels));
    let (ready, later): (Vec<_>, Vec<_>) = selected.partition(|host| host.recipient.is_some());
    let later = match later.len() {
        0 => String::new(),
        count => format!("; {count} more when 'muster host approve' named their keys and it is re-encrypted"),
    };
    format!("the admins and {}{later}", super::super::validate::counted(ready.len(), "host"))
}
