//! Which file is what: the folder tells the kind of a document, the path its name.

use std::sync::Arc;

use muster_schema::ExtensionName;
use muster_schema::document::RESERVED_FOLDERS;
use muster_schema::name::is_name;

use super::{Finding, Place, did_you_mean};

/// What a path holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// muster.yaml.
    Fleet,
    /// A profile; of the fleet where no environment is named.
    Profile { environment: Option<Arc<str>>, name: Arc<str> },
    /// environment.yaml.
    Environment { environment: Arc<str> },
    /// A host file.
    Host { environment: Arc<str>, name: Arc<str> },
    /// application.yaml.
    Application { name: Arc<str> },
    /// The declaration of a collection.
    Extension { name: ExtensionName },
    /// Who may change what.
    AccessPolicy,
    /// Who can read which secret.
    Recipients,
    /// A ciphertext, or whom it is encrypted to.
    Secret,
    /// An enrolment token.
    Token { name: Arc<str> },
    /// A content below a files/ folder.
    Content,
    /// Of no interest: readme files, hidden files, what stands beside.
    Ignored,
}

/// The folders and the file at the top of a state repository that muster reads.
pub(crate) const TOP: [&str; 9] = [
    "applications",
    "enrolment",
    "environments",
    "extensions",
    "files",
    "muster.yaml",
    "policy",
    "profiles",
    "secrets",
];

/// What a path holds, or why it holds nothing known.
pub(super) fn classify(path: &str) -> Result<Item, Finding> {
    let parts: Vec<&str> = path.split('/').collect();
    let is_ignored = |name: &&str| name.starts_with('.') || name.starts_with("README") || name.ends_with(".md");
    match parts.as_slice() {
        ["muster.yaml"] => Ok(Item::Fleet),
        ["files", ..]
        | ["profiles", "files", ..]
        | ["applications", _, "files", ..]
        | ["environments", _, "files", ..]
        | ["environments", _, "profiles", "files", ..] => Ok(Item::Content),
        [.., name] if is_ignored(name) => Ok(Item::Ignored),
        [name] => top(path, name),
        [folder, ..] if RESERVED_FOLDERS.contains(folder) => {
            Err(Finding::new(Place::start_of(path), format!("'{folder}/' is not supported yet")))
        }
        ["policy", "allowed_signers" | "revoked_signers"] | ["policy", "openpgp", _] => Ok(Item::Ignored),
        ["policy", "access.yaml"] => Ok(Item::AccessPolicy),
        ["policy", other] => {
            Err(unknown(path, other, &["access.yaml", "allowed_signers", "openpgp", "revoked_signers"]))
        }
        ["profiles", file] => {
            let name = document_name(path, file)?;
            Ok(Item::Profile { environment: None, name })
        }
        ["extensions", file] => Ok(Item::Extension { name: extension_name(path, file)? }),
        ["secrets", "recipients.yaml"] => Ok(Item::Recipients),
        ["secrets", file] => secret(path, file),
        ["secrets", folder, ..] => Err(unknown(path, folder, &["recipients.yaml"])),
        ["enrolment", "tokens", file] => Ok(Item::Token { name: document_name(path, file)? }),
        ["enrolment", other, ..] => Err(unknown(path, other, &["tokens"])),
        ["extensions", folder, ..] => Err(unknown(path, folder, &[])),
        ["environments", environment, rest @ ..] => in_environment(path, environment, rest),
        ["applications", name, "application.yaml"] => Ok(Item::Application { name: checked_name(path, name)? }),
        ["applications", _, other, ..] => Err(unknown(path, other, &["application.yaml", "files"])),
        ["applications", file] => Err(unknown(path, file, &[])),
        _ => Ok(Item::Ignored),
    }
}

fn top(path: &str, name: &str) -> Result<Item, Finding> {
    match did_you_mean(name, TOP) {
        Some(hint) => Err(Finding::new(Place::start_of(path), format!("'{name}' means nothing here")).with_hint(hint)),
        None => Ok(Item::Ignored),
    }
}

fn in_environment(path: &str, environment: &str, rest: &[&str]) -> Result<Item, Finding> {
    let environment = checked_name(path, environment)?;
    match rest {
        ["environment.yaml"] => Ok(Item::Environment { environment }),
        ["hosts", file] => Ok(Item::Host { environment, name: document_name(path, file)? }),
        ["profiles", file] => Ok(Item::Profile { environment: Some(environment), name: document_name(path, file)? }),
        ["groups", ..] => Err(Finding::new(Place::start_of(path), "groups are not supported yet")),
        [other, ..] => Err(unknown(path, other, &["environment.yaml", "hosts", "profiles", "files"])),
        [] => Err(unknown(path, &environment, &[])),
    }
}

/// A file of one secret: `NAME.age` or `NAME.recipients`.
fn secret(path: &str, file: &str) -> Result<Item, Finding> {
    let name = file.strip_suffix(".age").or_else(|| file.strip_suffix(".recipients"));
    match name {
        Some(name) => checked_name(path, name).map(|_| Item::Secret),
        None => Err(unknown(path, file, &["recipients.yaml"])
            .with_hint("a secret is NAME.age; 'muster secret set NAME' makes it")),
    }
}

/// The collection that a file of `extensions/` declares.
fn extension_name(path: &str, file: &str) -> Result<ExtensionName, Finding> {
    let name = document_name(path, file)?;
    ExtensionName::new(&name).map_err(|error| Finding::new(Place::start_of(path), error.to_string()))
}

/// The name that a document's file gives it.
fn document_name(path: &str, file: &str) -> Result<Arc<str>, Finding> {
    let Some(stem) = file.strip_suffix(".yaml") else {
        let finding =
            Finding::new(Place::start_of(path), format!("'{file}' is no document: its name must end in .yaml"));
        return Err(match file.strip_suffix(".yml") {
            Some(stem) => finding.with_hint(format!("rename it to {stem}.yaml")),
            None => finding,
        });
    };
    checked_name(path, stem)
}

fn checked_name(path: &str, name: &str) -> Result<Arc<str>, Finding> {
    if is_name(name) {
        return Ok(Arc::from(name));
    }
    let reason = format!("'{name}' is not a name");
    Err(Finding::new(Place::start_of(path), reason)
        .with_hint("use a-z, 0-9, '-', '.' and '_', at most 63 of them, with a letter or digit at both ends"))
}

fn unknown(path: &str, name: &str, known: &[&'static str]) -> Finding {
    let finding = Finding::new(Place::start_of(path), format!("'{name}' means nothing here"));
    match did_you_mean(name, known.iter().copied()) {
        Some(hint) => finding.with_hint(hint),
        None => finding,
    }
}
