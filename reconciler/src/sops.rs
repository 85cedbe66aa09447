//! Reads files of SOPS that are encrypted to recipients of age: YAML, JSON, dotenv, and binary in JSON.
//!
//! The format is that of SOPS 3 (<https://getsops.io/docs/>): each value stands for itself as
//! `ENC[AES256_GCM,…]`, under one data key, with the path of its key as additional data; the data key is encrypted
//! to each recipient; the MAC is the SHA-512 of all values in their order, itself encrypted under the data key.
//! Pure: nothing is read or written here.

use age::x25519::Identity;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

mod data_key;
mod dotenv;
mod metadata;
mod sealed_value;
#[cfg(test)]
mod tests;
mod tree;

use data_key::DataKey;
use metadata::Metadata;
use sealed_value::{Opened, SealedValue};
use tree::{Leaf, Tree};

/// What the MAC begins with where it is of the encrypted values alone: the SHA-256 of `sops`.
const MAC_ONLY_ENCRYPTED: &[u8] = b"sops";

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SopsForm {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// Lines of `NAME=value`.
    Dotenv,
    /// Any bytes, as one value of a JSON document.
    Binary,
}

/// A value of a file.
#[derive(Debug)]
pub struct SopsValue {
    /// The keys that lead to it; an item of a list has its number, from 0.
    pub path: Vec<String>,
    /// What is there.
    pub content: SopsContent,
}

/// What a value is.
#[derive(Debug)]
pub enum SopsContent {
    /// It was encrypted: its text, or its bytes.
    Secret(Zeroizing<Vec<u8>>),
    /// It stands in the file as it is.
    Plain,
    /// An empty string, of which SOPS does not tell whether it was to be encrypted.
    Empty,
}

/// Why a file cannot be read. None of them quotes a value.
#[derive(Debug, thiserror::Error)]
pub enum SopsError {
    /// It is not well-formed.
    #[error("{0}")]
    Form(String),
    /// It was not made by SOPS.
    #[error("this is no file of SOPS: {0}; a secret in plain is set by: muster secret set NAME --from-file FILE")]
    NotSops(&'static str),
    /// Something in the part that SOPS adds is not as it has to be.
    #[error("'sops.{at}' {reason}")]
    Metadata {
        /// The key.
        at: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// It is encrypted by other means.
    #[error(
        "the file is encrypted by {0}, and to no recipient of age; add an admin's key where it can be read: sops \
         rotate -i --add-age age1… FILE"
    )]
    OtherService(String),
    /// Its data key is in parts.
    #[error("the data key is split among groups of keys (Shamir); write it anew with one group: sops updatekeys FILE")]
    Groups,
    /// The person's key is none of those that it is encrypted to.
    #[error("the key does not open the file, which is encrypted to {0}; say whose does by --identity FILE")]
    NoIdentity(String),
    /// A key of the data key is damaged.
    #[error("the data key for {recipient} is damaged")]
    DataKey {
        /// Whose.
        recipient: String,
    },
    /// A value is damaged, or was moved from another place.
    #[error("the value at '{path}' {reason}; take the file as SOPS wrote it")]
    Value {
        /// Its keys.
        path: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Somebody changed the file by other means.
    #[error(
        "the file was changed by something other than SOPS: its MAC is that of other values; see what, then let SOPS \
         write it anew: sops edit --ignore-mac FILE"
    )]
    Mac,
}

/// All values of a file, in their order. Nothing comes of a file whose MAC is wrong.
///
/// # Errors
/// When it is no such file, none of the keys opens it, or anything of it was changed.
pub fn open_sops(
    file: &str,
    form: SopsForm,
    bytes: &[u8],
    identities: &[Identity],
) -> Result<Vec<SopsValue>, SopsError> {
    let (tree, metadata) = load(file, form, bytes)?;
    let key = DataKey::open(&metadata, identities)?;
    let mut hash = Sha512::new();
    if metadata.mac_only_encrypted {
        hash.update(sha2::Sha256::digest(MAC_ONLY_ENCRYPTED));
    }
    let mut values = Vec::new();
    tree.for_each(&mut |path, data, leaf| {
        let content = open_leaf(&key, &path.join("."), data, leaf, metadata.mac_only_encrypted, &mut hash)?;
        values.extend(content.map(|content| SopsValue { path: path.to_vec(), content }));
        Ok(())
    })?;
    check_mac(&key, &metadata, &hex::encode_upper(hash.finalize()))?;
    Ok(values)
}

fn load(file: &str, form: SopsForm, bytes: &[u8]) -> Result<(Tree, Metadata), SopsError> {
    let mut tree = match form {
        SopsForm::Yaml => Tree::load_yaml(file, bytes)?,
        SopsForm::Json | SopsForm::Binary => Tree::load_json(bytes)?,
        SopsForm::Dotenv => dotenv::load(bytes)?,
    };
    let metadata = tree.take("sops").ok_or(SopsError::NotSops("it has no part 'sops'"))?;
    let metadata = Metadata::load(&metadata)?;
    if form == SopsForm::Binary && !tree.is_one_value("data") {
        return Err(SopsError::NotSops("what is neither YAML, JSON nor dotenv has one value, 'data'"));
    }
    Ok((tree, metadata))
}

/// What a leaf is, and its share of the MAC; none for a comment.
fn open_leaf(
    key: &DataKey,
    path: &str,
    data: &str,
    leaf: &Leaf,
    mac_only_encrypted: bool,
    hash: &mut Sha512,
) -> Result<Option<SopsContent>, SopsError> {
    let fault = |reason| SopsError::Value { path: path.to_owned(), reason };
    // A value that only looks encrypted ends as an error, one that only looks plain at the MAC.
    let Some(sealed) = SealedValue::load(leaf).map_err(fault)? else {
        if !mac_only_encrypted {
            hash.update(leaf.text.as_bytes());
        }
        return Ok(Some(if leaf.text.is_empty() { SopsContent::Empty } else { SopsContent::Plain }));
    };
    match sealed.open(key, data).map_err(fault)? {
        Opened::Comment => Ok(None),
        Opened::Value { hashed, content } => {
            hash.update(&*hashed);
            Ok(Some(SopsContent::Secret(content)))
        }
    }
}

fn check_mac(key: &DataKey, metadata: &Metadata, computed: &str) -> Result<(), SopsError> {
    let leaf = Leaf::string(&metadata.mac);
    let fault = |reason| SopsError::Metadata { at: "mac", reason };
    let sealed = SealedValue::load(&leaf).map_err(fault)?.ok_or_else(|| fault("is not encrypted"))?;
    match sealed.open(key, &metadata.last_modified) {
        Ok(Opened::Value { hashed, .. }) if *hashed == computed.as_bytes() => Ok(()),
        Ok(_) | Err(_) => Err(SopsError::Mac),
    }
}
