//! What a sealer does: encrypts the secrets that it may open anew when hosts come and go, and no others.

use std::collections::BTreeSet;
use std::sync::Arc;

use age::x25519::Identity;
use muster_schema::secret::SecretName;

use super::{Edits, SealError, open, recipients, seal};
use crate::model::{Model, Secret};

/// A secret that is to be encrypted to other hosts than it is.
#[derive(Debug)]
pub struct Due {
    /// Its name.
    pub name: SecretName,
    /// Whom to encrypt it to.
    to: BTreeSet<Arc<str>>,
}

/// Why a secret stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum NotSealed {
    /// Somebody is to read it who is no host.
    #[error("{0} is an admin or sealer who cannot read it yet; a sealer adds hosts alone")]
    People(Arc<str>),
    /// Its ciphertext is a copy.
    #[error("its ciphertext was the secret {0} before; who reads that is no business of this one's hosts")]
    Copied(SecretName),
    /// The ciphertext is missing.
    #[error("it has no ciphertext")]
    Unset,
    /// It opens to nothing.
    #[error("it is empty")]
    Empty,
    /// It is no secret of age, or is not for the sealer.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The secrets of a verified revision that are encrypted to other hosts than they are for, as far as the sealer with the
/// key `sealer` may open them; each as due, or with what a person has to do.
pub fn due_secrets(model: &Model, sealer: &str) -> Vec<(SecretName, Result<Due, NotSealed>)> {
    let secrets = model.secrets().iter().filter(|(_, secret)| secret.sealers.iter().any(|key| key == sealer));
    let due = secrets.filter_map(|(name, secret)| Some((name.clone(), due_secret(model, name, secret).transpose()?)));
    due.collect()
}

fn due_secret(model: &Model, name: &SecretName, secret: &Secret) -> Result<Option<Due>, NotSealed> {
    let admins = &model.secrets().admins;
    let to = recipients(model, admins, &secret.sealers, &secret.hosts)?;
    if to == secret.encrypted_to {
        return Ok(None);
    }
    let mut people = admins.iter().chain(&secret.sealers).map(String::as_str);
    match people.find(|key| !secret.encrypted_to.contains(*key)) {
        Some(key) => Err(NotSealed::People(key.into())),
        None => Ok(Some(Due { name: name.clone(), to })),
    }
}

/// The secret, encrypted anew: its two files.
///
/// # Errors
/// When the key does not open it, or the library fails.
pub fn seal_due(due: &Due, ciphertext: &[u8], identity: &Identity) -> Result<Edits, NotSealed> {
    let plaintext = open(&due.name, ciphertext, std::slice::from_ref(identity))?;
    if plaintext.is_empty() {
        return Err(NotSealed::Empty);
    }
    Ok(seal(&due.name, &plaintext, &due.to)?)
}
