//! `muster secret ls`.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use muster_schema::HostId;
use muster_schema::secret::SecretName;
use serde::Serialize;

use super::super::output::{Format, print_document, print_table};
use super::super::state_clone::RepositoryArgs;
use super::{tell_without_recipient, without_recipient};
use crate::model::{FileEntry, MAX_DOCUMENT_BYTES, Model, RepositoryFiles, Secret};

/// Show the secrets: which hosts can read each, which wait for it, and where it is used.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of the output; a table for a terminal, JSON for a pipe.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    #[command(flatten)]
    repository: RepositoryArgs,
}

/// One secret, and who can read it.
#[derive(Debug, Serialize)]
struct Row {
    name: SecretName,
    hosts: String,
    /// Hosts that it is for and that can read it.
    readers: Vec<String>,
    /// Hosts that it is for and that cannot read it yet.
    missing: Vec<String>,
    /// Those of them whose files name no recipient.
    no_recipient: BTreeSet<HostId>,
    /// Recipients that are neither an admin, a sealer nor a host that it is for.
    extra: Vec<Arc<str>>,
    /// Documents and templates that name it.
    used_in: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let (files, model) = args.repository.load()?;
    let texts = texts_of(&files);
    let rows: Vec<Row> = model.secrets().iter().map(|(name, secret)| row_of(&model, name, secret, &texts)).collect();
    match Format::or_default(args.output) {
        Format::Table => {
            let cells = |row: &Row| {
                let count = |items: usize| if items == 0 { "-".to_owned() } else { items.to_string() };
                let missing = if row.missing.is_empty() { "-".to_owned() } else { row.missing.join(" ") };
                let used = if row.used_in.is_empty() { "-".to_owned() } else { row.used_in.join(" ") };
                vec![
                    row.name.to_string(),
                    row.hosts.clone(),
                    count(row.readers.len()),
                    missing,
                    count(row.extra.len()),
                    used,
                ]
            };
            let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
            print_table(&["SECRET", "HOSTS", "READERS", "MISSING", "EXTRA", "USED IN"], &cells);
        }
        format => print_document(format, &rows)?,
    }
    let without = rows.iter().flat_map(|row| &row.no_recipient).cloned().collect();
    if let Some(told) = tell_without_recipient(&without) {
        eprintln!("{told}");
    }
    Ok(ExitCode::SUCCESS)
}

fn row_of(model: &Model, name: &SecretName, secret: &Secret, texts: &[(Arc<str>, String)]) -> Row {
    let selected: Vec<_> = model.hosts().filter(|host| secret.hosts.selects(&host.labels)).collect();
    let reads = |recipient: &Option<String>| {
        recipient.as_deref().is_some_and(|recipient| secret.encrypted_to.contains(recipient))
    };
    let (readers, missing): (Vec<_>, Vec<_>) = selected.iter().partition(|host| reads(&host.recipient));
    let known: BTreeSet<&str> = selected
        .iter()
        .filter_map(|host| host.recipient.as_deref())
        .chain(model.secrets().admins.iter().chain(&secret.sealers).map(String::as_str))
        .collect();
    let names = |hosts: Vec<&&crate::model::Host>| hosts.iter().map(|host| host.id.to_string()).collect();
    let quoted = [format!("secret('{name}'"), format!("secret(\"{name}\""), format!("secret(\\\"{name}\\\"")];
    let uses = |(_, text): &&(Arc<str>, String)| quoted.iter().any(|call| text.contains(call));
    Row {
        name: name.clone(),
        hosts: secret.hosts.to_string(),
        readers: names(readers),
        missing: names(missing),
        no_recipient: without_recipient(model, secret),
        extra: secret.encrypted_to.iter().filter(|recipient| !known.contains(recipient.as_ref())).cloned().collect(),
        used_in: texts.iter().filter(uses).map(|(path, _)| path.to_string()).collect(),
    }
}

/// The documents and templates that are text.
fn texts_of(files: &RepositoryFiles) -> Vec<(Arc<str>, String)> {
    let text = |(path, entry): (&Arc<str>, &FileEntry)| match entry {
        FileEntry::File(id) if !path.starts_with("secrets/") => {
            let bytes = files.load_blob(path, *id, MAX_DOCUMENT_BYTES).ok()?;
            Some((path.clone(), String::from_utf8(bytes).ok()?))
        }
        _ => None,
    };
    files.entries().filter_map(text).collect()
}
