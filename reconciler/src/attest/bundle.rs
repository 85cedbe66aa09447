//! The files of a bundle.

use std::collections::{BTreeMap, BTreeSet};

use muster_schema::envelope::Signature;
use muster_schema::{CommitId, FleetName, HostId, PublicKey, Timestamp};
use serde::{Deserialize, Serialize};

use super::AttestFault;

/// The file that says what the bundle is about.
pub const INDEX: &str = "attestation.json";

/// The largest index, in bytes.
pub const MAX_INDEX_BYTES: usize = 4096;

/// What a bundle is about. Not signed: it asks the question, the other files answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Always `attestation`.
    pub r#type: AttestationType,
    /// The fleet.
    pub fleet: FleetName,
    /// The host.
    pub host: HostId,
    /// The time that is asked about.
    pub at: Timestamp,
    /// The watched branch.
    pub branch: String,
    /// The status commit that holds the checkpoint of the audit log, where one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checkpoint: Option<CommitId>,
}

/// The type of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttestationType {
    /// The only value.
    #[serde(rename = "attestation")]
    Is,
}

/// A bundle: contents by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// The files. Paths have slashes, and are relative to the bundle's top.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Adds a file and the signatures of it, each beside it.
    pub fn put_signed<'s>(&mut self, name: &str, bytes: &[u8], signatures: impl IntoIterator<Item = &'s Signature>) {
        for signature in signatures {
            self.files.insert(signature_name(name, signature), signature.text().into());
        }
        self.files.insert(name.to_owned(), bytes.to_vec());
    }
}

fn signature_name(name: &str, signature: &Signature) -> String {
    format!("{name}.{}.minisig", signature.key())
}

/// Reads a bundle, and remembers what was read.
pub struct BundleReader<'b> {
    bundle: &'b Bundle,
    read: BTreeSet<String>,
}

impl<'b> BundleReader<'b> {
    /// A reader that has read nothing.
    pub fn new(bundle: &'b Bundle) -> Self {
        BundleReader { bundle, read: BTreeSet::new() }
    }

    /// A file, if it is there.
    pub fn find(&mut self, name: &str) -> Option<&'b [u8]> {
        let (name, bytes) = self.bundle.files.get_key_value(name)?;
        self.read.insert(name.clone());
        Some(bytes)
    }

    /// A file.
    ///
    /// # Errors
    /// When it is missing.
    pub fn get(&mut self, name: &str) -> Result<&'b [u8], AttestFault> {
        self.find(name).ok_or_else(|| AttestFault::new(name, "it is missing"))
    }

    /// The names of files below a folder, sorted.
    pub fn names_in(&self, folder: &str) -> Vec<&'b str> {
        self.bundle.files.keys().map(String::as_str).filter(|name| name.starts_with(folder)).collect()
    }

    /// A file with the signatures beside it.
    ///
    /// # Errors
    /// When it is missing, or a signature is malformed or named after another key.
    pub fn signed(&mut self, name: &str) -> Result<(&'b [u8], Vec<Signature>), AttestFault> {
        let bytes = self.get(name)?;
        let mut signatures = Vec::new();
        for file in self.names_in(&format!("{name}.")).into_iter().filter(|file| file.ends_with(".minisig")) {
            let signature = Signature::load(self.get(file)?).map_err(|error| AttestFault::new(file, error))?;
            if signature_name(name, &signature) != file {
                return Err(AttestFault::new(file, format!("it is by key {}", signature.key())));
            }
            signatures.push(signature);
        }
        Ok((bytes, signatures))
    }

    /// Checks that a file is there and exactly so.
    ///
    /// # Errors
    /// When it is missing, or differs from what follows from the other files.
    pub fn expect(&mut self, name: &str, content: &[u8]) -> Result<(), AttestFault> {
        if self.get(name)? == content {
            return Ok(());
        }
        Err(AttestFault::new(name, "it is not what follows from the other files"))
    }

    /// Checks that every file was read.
    ///
    /// # Errors
    /// Names the first that was not.
    pub fn finish(self) -> Result<(), AttestFault> {
        match self.bundle.files.keys().find(|name| !self.read.contains(*name)) {
            Some(name) => Err(AttestFault::new(name, "nothing in the bundle accounts for it")),
            None => Ok(()),
        }
    }
}

/// Checks that every signature is of these bytes by one of `keys`, and returns those that signed.
pub(super) fn check_signatures(
    name: &str,
    bytes: &[u8],
    signatures: &[Signature],
    keys: &[PublicKey],
) -> Result<Vec<PublicKey>, AttestFault> {
    let mut signed = Vec::new();
    for signature in signatures {
        let file = signature_name(name, signature);
        let mut of_id = keys.iter().filter(|key| key.id() == signature.key()).peekable();
        if of_id.peek().is_none() {
            return Err(AttestFault::new(file, "its key has no part in this by the root documents"));
        }
        let key = of_id.find(|key| signature.verify(bytes, key).is_ok());
        signed.push(*key.ok_or_else(|| AttestFault::new(file, format!("it does not match {name}")))?);
    }
    if signed.is_empty() {
        return Err(AttestFault::new(name, "nobody signed it"));
    }
    Ok(signed)
}
