//! `muster secret import`.
#![allow(clippy::disallowed_methods, reason = "reads a file that is named")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use muster_schema::document::Selector;
use muster_schema::secret::SecretName;
use zeroize::Zeroizing;

use super::super::output::{inert, print_table};
use super::super::state_clone::{CommitArgs, StateClone};
use super::IdentityArgs;
use crate::cli::say::say;
use crate::model::{MAX_DOCUMENT_BYTES, Model, RECIPIENTS_FILE};
use crate::sealing::{Edits, recipients, seal, with_rule};
use crate::sops::{SopsContent, SopsForm, SopsValue, open_sops};

/// Make secrets of the values of a SOPS file (age), by one signed commit.
///
/// The file is opened with an admin's key, and its MAC is checked; if anything is wrong, nothing is changed. Values that
/// stand in it unencrypted are left out: they are settings. The file stays as it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file: YAML, JSON, dotenv, or any other as SOPS keeps it in JSON.
    file: PathBuf,
    /// How it is written; told by the end of its name unless given.
    #[arg(long, value_enum)]
    input_type: Option<InputType>,
    /// Only the value at this key, or those below it, as database.password; an item of a list by its number, from 0.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// What the names begin with; the rest is the key, as database-password.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    prefix: String,
    /// The name of the secret, where it is one value.
    #[arg(long, value_name = "NAME", conflicts_with = "prefix")]
    name: Option<SecretName>,
    /// The hosts that can read them, by their labels, as role=db; needed for new ones.
    #[arg(long, value_name = "SELECTOR")]
    hosts: Option<Selector>,
    /// The public key of an admin (age1…), where secrets/recipients.yaml names none yet.
    #[arg(long, value_name = "RECIPIENT")]
    admin: Vec<String>,
    /// Set secrets anew that are there already.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    commit: CommitArgs,
}

/// How a file of SOPS is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum InputType {
    Yaml,
    Json,
    Dotenv,
    Binary,
}

/// A secret to be made: its name, and the key that it comes from.
struct Import {
    key: String,
    plaintext: Zeroizing<Vec<u8>>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, anyhow::Error> {
    let identities = args.identity.require()?;
    let clone = args.commit.open()?;
    let model = clone.model()?;
    let path = args.file.display().to_string();
    let values = read_file(&args.file, args.input_type, &identities).with_context(|| path.clone())?;
    let (imports, left) = chosen(args, values).with_context(|| path.clone())?;
    if !args.replace {
        let there = imports.keys().filter(|name| model.secrets().get(name).is_some_and(|one| one.ciphertext.is_some()));
        let there: Vec<&str> = there.map(SecretName::as_str).collect();
        ensure!(
            there.is_empty(),
            "there are already {}; set them anew by --replace, or use --prefix",
            there.join(", ")
        );
    }
    let edits = sealed(args, &clone, &model, &imports)?;
    let names: Vec<&str> = imports.keys().map(SecretName::as_str).collect();
    let commit = clone.commit(&edits, &format!("secrets: Import {}\n", names.join(", ")))?;
    say!("{} set by {commit}.", super::super::validate::counted(names.len(), "secret"));
    let rows: Vec<Vec<String>> = imports.iter().map(|(name, one)| vec![name.to_string(), inert(&one.key)]).collect();
    print_table(&["SECRET", "FROM"], &rows);
    for (key, why) in left {
        say!("Left out: {} {why}.", inert(&key));
    }
    clone.push()?;
    Ok(ExitCode::SUCCESS)
}

fn read_file(
    path: &Path,
    input_type: Option<InputType>,
    identities: &[age::x25519::Identity],
) -> Result<Vec<SopsValue>, anyhow::Error> {
    let name = path.file_name().and_then(|name| name.to_str()).context("the name of the file is no text")?;
    let form = form_of(name, input_type)?;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes)?;
    let mut values = open_sops(name, form, &bytes, identities)?;
    if form == SopsForm::Binary {
        // 'data' says nothing of it.
        values.iter_mut().for_each(|value| value.path = vec![name.to_owned()]);
    }
    Ok(values)
}

fn form_of(name: &str, input_type: Option<InputType>) -> Result<SopsForm, anyhow::Error> {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    Ok(match (input_type, end) {
        (Some(InputType::Yaml), _) | (None, "yaml" | "yml") => SopsForm::Yaml,
        (Some(InputType::Json), _) | (None, "json") => SopsForm::Json,
        (Some(InputType::Dotenv), _) | (None, "env") => SopsForm::Dotenv,
        (None, "ini") => bail!("ini files are not read; make it another form: sops decrypt --output-type json FILE"),
        (Some(InputType::Binary), _) | (None, _) => SopsForm::Binary,
    })
}

/// The secrets to be made, and the keys that none is made of, with the reason.
type Chosen = (BTreeMap<SecretName, Import>, Vec<(String, &'static str)>);

fn chosen(args: &Args, values: Vec<SopsValue>) -> Result<Chosen, anyhow::Error> {
    let mut unmet: Vec<&String> = args.key.iter().collect();
    let (mut secrets, mut left) = (Vec::new(), Vec::new());
    for SopsValue { path, content } in values {
        let key = path.join(".");
        let below =
            |wanted: &str| key.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        if !args.key.is_empty() && !args.key.iter().any(|wanted| below(wanted)) {
            continue;
        }
        unmet.retain(|wanted| !below(wanted));
        match content {
            SopsContent::Secret(plaintext) => secrets.push((path, Import { key, plaintext })),
            SopsContent::Plain => left.push((key, "is not encrypted there; it is a setting")),
            SopsContent::Empty => left.push((key, "is empty")),
        }
    }
    if let Some(unmet) = unmet.first() {
        bail!("there is no value at '{unmet}'");
    }
    ensure!(!secrets.is_empty(), "there is no encrypted value in it; nothing was changed");
    ensure!(args.name.is_none() || secrets.len() == 1, "--name is for one value; choose it by --key");
    let mut imports: BTreeMap<SecretName, Import> = BTreeMap::new();
    for (path, import) in secrets {
        let name = args.name.clone().map_or_else(|| name_of(&args.prefix, &path), Ok)?;
        if let Some(other) = imports.get(&name) {
            bail!("'{}' and '{}' would both be the secret {name}; take one by --key and --name", other.key, import.key);
        }
        imports.insert(name, import);
    }
    Ok((imports, left))
}

/// The name of the secret at a key: its parts, with hyphens between them and for all that no name has.
fn name_of(prefix: &str, path: &[String]) -> Result<SecretName, anyhow::Error> {
    let part = |part: &String| {
        let allowed = |char: char| if matches!(char, 'a'..='z' | '0'..='9' | '.' | '_') { char } else { '-' };
        let part: String = part.to_lowercase().chars().map(allowed).collect();
        part.trim_matches(['-', '.', '_']).to_owned()
    };
    let parts: Vec<String> = path.iter().map(part).filter(|part| !part.is_empty()).collect();
    let name = format!("{prefix}{}", parts.join("-"));
    name.parse().with_context(|| format!("the secret at '{}' needs a name: say it by --key and --name", path.join(".")))
}

fn sealed(
    args: &Args,
    clone: &StateClone,
    model: &Model,
    imports: &BTreeMap<SecretName, Import>,
) -> Result<Edits, anyhow::Error> {
    let mut rules = clone.read(RECIPIENTS_FILE)?;
    let mut edits = Edits::new();
    for (name, Import { plaintext, .. }) in imports {
        let (document, changed) = with_rule(rules.as_deref(), name, args.hosts.as_ref(), &args.admin)?;
        let hosts = document.secrets.get(name.as_str()).map(|rule| &rule.hosts);
        let hosts = hosts.with_context(|| format!("nothing says which hosts can read the secret {name}"))?;
        let to = recipients(model, &document.admins, document.sealers_of(name.as_str()), hosts)?;
        edits.extend(seal(name, plaintext, &to)?);
        if let Some(text) = changed {
            edits.insert(RECIPIENTS_FILE.to_owned(), Some(text.clone().into_bytes()));
            rules = Some(text);
        }
    }
    Ok(edits)
}
