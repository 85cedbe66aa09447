//! Encrypts secrets to those who can read them, and says what changes in a state repository for that. Pure but for
//! the chance that encryption needs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use age::x25519;
use muster_schema::document::Selector;
use muster_schema::secret::{BadAgeFile, MAX_CIPHERTEXT_BYTES, MAX_SECRET_BYTES, SecretName, load_age};
use zeroize::Zeroizing;

use crate::model::{Model, ciphertext_path, recipients_path};

mod rules;
mod sealer;
#[cfg(test)]
mod tests;

pub use rules::{RuleFault, with_rule};
pub use sealer::{Due, NotSealed, due_secrets, seal_due};

/// Path → new content, as a commit takes them.
pub type Edits = BTreeMap<String, Option<Vec<u8>>>;

/// Why a secret cannot be encrypted or read.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The secret is too large.
    #[error("a secret has at most {MAX_SECRET_BYTES} bytes")]
    TooLarge,
    /// Nobody could change it again.
    #[error("there are no admins: nobody could re-encrypt the secret; name one by --admin age1…")]
    NoAdmins,
    /// A recipient is none.
    #[error("'{recipient}', of {whose}, is no recipient of age")]
    Recipient {
        /// What is given.
        recipient: String,
        /// Who gives it.
        whose: String,
    },
    /// The file with the key holds none.
    #[error("this is no identity of age (AGE-SECRET-KEY-1…) on its own line")]
    Identity,
    /// The ciphertext is none.
    #[error("the ciphertext of {name}")]
    Form {
        /// The secret.
        name: SecretName,
        /// Why.
        source: BadAgeFile,
    },
    /// The key does not open it.
    #[error("the key does not open the secret {name}; it opens for an admin, or for a host that is a recipient")]
    Decrypt {
        /// The secret.
        name: SecretName,
        /// What the library says.
        source: age::DecryptError,
    },
    /// The library failed.
    #[error("cannot encrypt")]
    Encrypt(#[source] age::EncryptError),
    /// The library failed.
    #[error("cannot encrypt")]
    Write(#[source] std::io::Error),
}

/// Whom a secret is to be encrypted to: the admins, the sealers that open it, and the hosts that it is for and that have
/// enrolled.
pub fn recipients(
    model: &Model,
    admins: &[String],
    sealers: &[String],
    hosts: &Selector,
) -> Result<BTreeSet<Arc<str>>, SealError> {
    if admins.is_empty() {
        return Err(SealError::NoAdmins);
    }
    let check = |recipient: &str, whose: &str| match recipient.parse::<x25519::Recipient>() {
        Ok(_) => Ok(Arc::from(recipient)),
        Err(_) => Err(SealError::Recipient { recipient: recipient.to_owned(), whose: whose.to_owned() }),
    };
    let admins = admins.iter().map(|admin| check(admin, "the admins"));
    let sealers = sealers.iter().map(|sealer| check(sealer, "the sealers"));
    let selected = model.hosts().filter(|host| hosts.selects(&host.labels));
    let hosts = selected.filter_map(|host| Some(check(host.recipient.as_deref()?, host.id.as_str())));
    admins.chain(sealers).chain(hosts).collect()
}

/// A secret that is encrypted to these recipients: its two files.
///
/// # Errors
/// When it is too large, or the library fails.
pub fn seal(name: &SecretName, plaintext: &[u8], recipients: &BTreeSet<Arc<str>>) -> Result<Edits, SealError> {
    if plaintext.len() > MAX_SECRET_BYTES {
        return Err(SealError::TooLarge);
    }
    let keys: Vec<x25519::Recipient> = recipients.iter().filter_map(|one| one.parse().ok()).collect();
    let encryptor = age::Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient));
    let mut ciphertext = Vec::new();
    let mut writer = encryptor.and_then(|one| Ok(one.wrap_output(&mut ciphertext)?)).map_err(SealError::Encrypt)?;
    writer.write_all(plaintext).map_err(SealError::Write)?;
    writer.finish().map_err(SealError::Write)?;
    if ciphertext.len() as u64 > MAX_CIPHERTEXT_BYTES {
        return Err(SealError::Form { name: name.clone(), source: BadAgeFile::TooLarge });
    }
    let mut listed = format!("# Whom {} is encrypted to. Written by 'muster secret'.\n", ciphertext_path(name));
    recipients.iter().for_each(|recipient| listed.extend([recipient, "\n"]));
    Ok(Edits::from([(ciphertext_path(name), Some(ciphertext)), (recipients_path(name), Some(listed.into_bytes()))]))
}

/// The keys in a file as age writes it.
///
/// # Errors
/// When a line holds no key, or none does.
pub fn load_identities(text: &str) -> Result<Vec<x25519::Identity>, SealError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Result<Vec<x25519::Identity>, _> = lines.map(str::parse).collect();
    identities.ok().filter(|identities| !identities.is_empty()).ok_or(SealError::Identity)
}

/// Reads a secret.
///
/// # Errors
/// When the file is none, or none of the keys opens it.
pub fn open(
    name: &SecretName,
    ciphertext: &[u8],
    identities: &[x25519::Identity],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let binary = load_age(ciphertext).map_err(|source| SealError::Form { name: name.clone(), source })?;
    let mut last = age::DecryptError::NoMatchingKeys;
    for identity in identities {
        match age::decrypt(identity, &binary) {
            Ok(plaintext) => return Ok(Zeroizing::new(plaintext)),
            Err(error) => last = error,
        }
    }
    Err(SealError::Decrypt { name: name.clone(), source: last })
}
