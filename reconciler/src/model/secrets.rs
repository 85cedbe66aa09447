//! The secrets of a state repository: ciphertexts, who can read them, and whom they are encrypted to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muster_schema::document::{RecipientsDocument, Selector};
use muster_schema::secret::{MAX_CIPHERTEXT_BYTES, SecretName, load_age};

use super::document::Document;
use super::{BlobId, FileEntry, Finding, Host, Node, Place, RepositoryFiles};

/// The document that says who can read which secret.
pub const RECIPIENTS_FILE: &str = "secrets/recipients.yaml";

/// The secrets of a state repository.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// The keys of the people who can read every secret.
    pub admins: Vec<String>,
    secrets: BTreeMap<SecretName, Secret>,
}

/// One secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The hosts that can read it.
    pub hosts: Selector,
    /// The keys of the sealers that open it.
    pub sealers: Vec<String>,
    /// Where it is declared.
    pub place: Place,
    /// Its ciphertext; none while it was never set.
    pub ciphertext: Option<BlobId>,
    /// Whom the ciphertext is encrypted to.
    pub encrypted_to: BTreeSet<Arc<str>>,
}

/// What stands in the way of a host that needs a secret.
#[derive(Debug, Clone)]
pub enum Unreadable<'a> {
    /// There is no such secret.
    Unknown,
    /// The secret's selector does not select the host.
    NotSelected(&'a Secret),
    /// The ciphertext is not encrypted to the host.
    NotEncrypted,
}

impl Secrets {
    /// All secrets, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SecretName, &Secret)> {
        self.secrets.iter()
    }

    /// A secret.
    pub fn get(&self, name: &SecretName) -> Option<&Secret> {
        self.secrets.get(name)
    }

    /// The secret, if the host can read it.
    ///
    /// # Errors
    /// With what stands in the way.
    pub fn readable(&self, name: &SecretName, host: &Host) -> Result<&Secret, Unreadable<'_>> {
        let secret = self.secrets.get(name).ok_or(Unreadable::Unknown)?;
        if !secret.hosts.selects(&host.labels) {
            return Err(Unreadable::NotSelected(secret));
        }
        let recipient = host.recipient.as_deref().filter(|recipient| secret.encrypted_to.contains(*recipient));
        recipient.map(|_| secret).ok_or(Unreadable::NotEncrypted)
    }

    /// The secrets that `secrets/` holds, and what is wrong with it.
    pub(super) fn load(files: &RepositoryFiles, document: &Document, found: &mut Vec<Finding>) -> Secrets {
        // What does not fit the type is a finding of the document already.
        let declared: RecipientsDocument = serde_json::from_value(document.root.to_json()).unwrap_or_default();
        let places = document.root.get("secrets").and_then(Node::as_map);
        let mut secrets = BTreeMap::new();
        for (name, rule) in &declared.secrets {
            let sealers = declared.sealers_of(name).to_vec();
            let place = places.and_then(|map| map.entry(name)).map_or(&document.root.place, |one| &one.place);
            let name: SecretName = match name.parse() {
                Ok(name) => name,
                Err(error) => {
                    found.push(Finding::new(place.clone(), format!("the name of a secret: {error}")));
                    continue;
                }
            };
            if rule.sealer && sealers.is_empty() {
                let finding = Finding::new(place.clone(), format!("{name} is for sealers, and there are none"));
                found.push(finding.with_hint("name their keys, as in sealers: [age1…]"));
            }
            let ciphertext = ciphertext_of(files, &name, found);
            if ciphertext.is_none() {
                let finding = Finding::new(place.clone(), format!("there is no file '{}'", ciphertext_path(&name)));
                found.push(finding.with_hint(format!("run: muster secret set {name}")));
            }
            let encrypted_to = load_recipients(files, &recipients_path(&name), found);
            let (hosts, place) = (rule.hosts.clone(), place.clone());
            secrets.insert(name, Secret { hosts, sealers, place, ciphertext, encrypted_to });
        }
        if !document.unread {
            found.extend(undeclared(files, &secrets));
        }
        Secrets { admins: declared.admins, secrets }
    }
}

/// Where the ciphertext of a secret lies.
pub fn ciphertext_path(name: &SecretName) -> String {
    format!("secrets/{name}.age")
}

/// Where it says whom the ciphertext of a secret is encrypted to.
pub fn recipients_path(name: &SecretName) -> String {
    format!("secrets/{name}.recipients")
}

fn ciphertext_of(files: &RepositoryFiles, name: &SecretName, found: &mut Vec<Finding>) -> Option<BlobId> {
    let path = ciphertext_path(name);
    let Some((_, FileEntry::File(id))) = files.entry(&path) else { return None };
    match files.load_blob(&path, *id, MAX_CIPHERTEXT_BYTES) {
        Ok(bytes) => {
            if let Err(error) = load_age(&bytes) {
                let finding = Finding::new(Place::start_of(&path), error.to_string());
                let hint =
                    "run: muster secret set {name} (what was once committed in plain has to be exchanged as well)";
                found.push(finding.with_hint(hint.replace("{name}", name.as_str())));
            }
        }
        Err(finding) => found.push(finding),
    }
    Some(*id)
}

/// The recipients in a file as age reads it: one a line, with comments.
fn load_recipients(files: &RepositoryFiles, path: &str, found: &mut Vec<Finding>) -> BTreeSet<Arc<str>> {
    let Some((_, FileEntry::File(id))) = files.entry(path) else { return BTreeSet::new() };
    let text = match files.load_blob(path, *id, MAX_CIPHERTEXT_BYTES).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            found.push(Finding::new(Place::start_of(path), "the file is no text"));
            return BTreeSet::new();
        }
        Err(finding) => {
            found.push(finding);
            return BTreeSet::new();
        }
    };
    let mut recipients = BTreeSet::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let word = line.trim();
        if !word.is_empty() && !word.starts_with('#') {
            if word.parse::<age::x25519::Recipient>().is_ok() {
                recipients.insert(Arc::from(word));
            } else {
                let finding =
                    Finding::new(Place::in_text(Arc::from(path), &text, offset), "this is no recipient of age");
                found.push(finding.with_hint("'muster secret rekey' writes this file"));
            }
        }
        offset += line.len();
    }
    recipients
}

/// Ciphertexts that nothing says the readers of.
fn undeclared(files: &RepositoryFiles, secrets: &BTreeMap<SecretName, Secret>) -> Vec<Finding> {
    let known = |path: &str| {
        let name = path.strip_prefix("secrets/").and_then(|name| name.strip_suffix(".age"));
        name.and_then(|name| name.parse::<SecretName>().ok()).is_none_or(|name| secrets.contains_key(&name))
    };
    let paths = files.entries().map(|(path, _)| path).filter(|path| path.starts_with("secrets/"));
    let unknown = paths.filter(|path| path.ends_with(".age") && !known(path));
    unknown
        .map(|path| {
            let finding = Finding::new(Place::start_of(path), "nothing says which hosts can read this secret");
            finding.with_hint(format!("name it in {RECIPIENTS_FILE}, as in secrets: {{NAME: {{hosts: \"role=db\"}}}}"))
        })
        .collect()
}
