//! Secrets on the host: read in memory, written into contents there, and known everywhere else by keyed digests.
//!
//! What a content with secrets comes to is in this process and in the file that it is for. Plans, reports, the ledger
//! and what is kept of older files hold keyed digests and ciphertext: a plain digest of a short secret tells it to
//! whoever tries all of them. The key is the host's own, and stays when the host is re-keyed.

mod encode;
#[cfg(test)]
mod tests;

use crate::io::host_keys::{HostKeys, HostKeysError};
use crate::vault::Vault;
use crate::verify::{Reject, RejectCode};
use encode::encode;
use hmac::{Hmac, Mac};
use muster_schema::Sha256Digest;
use muster_schema::content::{BlobRef, MAX_BLOB_BYTES};
use muster_schema::resource::Resource;
use muster_schema::secret::{MAX_SECRET_BYTES, SecretContent, SecretSegment, Segment, load_age};
use sha2::Sha256;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// What the key of digests is derived for.
const DIGESTS: &[u8] = b"muster: digests of contents with secrets";

/// Bytes that nobody is to see; they are wiped when the last holder drops them.
type Plaintext = Arc<Zeroizing<Vec<u8>>>;

/// What of a manifest only this host can read.
pub struct Secrets {
    keys: Arc<HostKeys>,
    digest_key: Zeroizing<Vec<u8>>,
    /// Contents with their secrets in, by keyed digest.
    filled: Mutex<HashMap<Sha256Digest, Plaintext>>,
}

impl Secrets {
    /// Reads with the host's keys.
    pub fn new(keys: Arc<HostKeys>) -> Secrets {
        let digest_key = keys.derive(DIGESTS);
        Secrets { keys, digest_key, filled: Mutex::default() }
    }

    /// Reads every secret of a manifest and writes it into its content, in memory. The resources then know the keyed
    /// digests of what they are to have. All of it, or nothing: nothing on the host is touched before all can be read.
    ///
    /// # Errors
    /// With a code for the first that cannot be read.
    pub fn fill(&self, resources: &mut [Resource], blobs: &Vault) -> Result<(), Reject> {
        let mut read: HashMap<BlobRef, Zeroizing<Vec<u8>>> = HashMap::new();
        let mut filled = HashMap::new();
        for resource in resources {
            let address = resource.address.clone();
            for content in resource.secret_contents() {
                // Read before, and not dropped since.
                if content.filled.is_some_and(|digest| self.lock().contains_key(&digest)) {
                    continue;
                }
                let bytes = self
                    .filled_content(content, blobs, &mut read)
                    .map_err(|reject| Reject::new(reject.code, format_args!("{address}: {}", reject.message)))?;
                let digest = self.digest(&BlobRef::of(&bytes));
                content.filled = Some(digest);
                filled.insert(digest, Arc::new(bytes));
            }
        }
        self.lock().extend(filled);
        Ok(())
    }

    /// Has in memory what these resources need, and nothing else any more. They could be read before: what cannot be
    /// read now is told by each resource that needs it.
    pub fn keep_only(&self, resources: &mut [Resource], blobs: &Vault) {
        if let Err(reject) = self.fill(resources, blobs) {
            tracing::error!(%reject, "secrets of the manifest in force");
        }
        let needed: HashSet<Sha256Digest> = resources.iter().flat_map(Resource::filled_contents).collect();
        self.lock().retain(|digest, _| needed.contains(digest));
    }

    /// The keyed digest of a content.
    pub fn digest(&self, content: &BlobRef) -> Sha256Digest {
        let tag = mac(&self.digest_key, format!("{} {}", content.sha256, content.size).as_bytes());
        Sha256Digest::of(&tag)
    }

    /// A content with its secrets in, if it is of the manifest in force.
    pub fn open(&self, digest: &Sha256Digest) -> Option<Box<dyn Read + Send>> {
        let bytes = self.lock().get(digest).cloned()?;
        Some(Box::new(Opened { bytes, at: 0 }))
    }

    /// Encrypts what a file held, to this host alone: so it may be kept.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(&self, bytes: &[u8]) -> Result<Vec<u8>, HostKeysError> {
        self.keys.seal(bytes)
    }

    /// What [`Secrets::seal`] encrypted.
    ///
    /// # Errors
    /// When it is damaged, or another host's.
    pub fn unseal(&self, ciphertext: &[u8]) -> Result<Box<dyn Read + Send>, HostKeysError> {
        let bytes = Arc::new(self.keys.unseal(ciphertext)?);
        Ok(Box::new(Opened { bytes, at: 0 }))
    }

    fn filled_content(
        &self,
        content: &SecretContent,
        blobs: &Vault,
        read: &mut HashMap<BlobRef, Zeroizing<Vec<u8>>>,
    ) -> Result<Zeroizing<Vec<u8>>, Reject> {
        // The right size from the start: a buffer that grows leaves copies behind.
        let mut pieces = Vec::with_capacity(content.segments.len());
        for segment in &content.segments {
            pieces.push(match segment {
                Segment::Literal(blob) => Zeroizing::new(load(blobs, blob)?),
                Segment::Secret(secret) => self.filled_secret(secret, blobs, read)?,
            });
        }
        let size: usize = pieces.iter().map(|piece| piece.len()).sum();
        if size as u64 > MAX_BLOB_BYTES {
            return Err(Reject::new(RejectCode::SecretMalformed, "a content with its secrets in is too large"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        Ok(bytes)
    }

    fn filled_secret(
        &self,
        secret: &SecretSegment,
        blobs: &Vault,
        read: &mut HashMap<BlobRef, Zeroizing<Vec<u8>>>,
    ) -> Result<Zeroizing<Vec<u8>>, Reject> {
        let plaintext = match read.entry(secret.ciphertext) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(self.decrypt(secret, &load(blobs, &secret.ciphertext)?)?),
        };
        encode(plaintext, secret.encode)
            .map_err(|reason| Reject::new(RejectCode::SecretEncoding, format_args!("secret {}: {reason}", secret.name)))
    }

    fn decrypt(&self, secret: &SecretSegment, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Reject> {
        let name = &secret.name;
        let binary = load_age(ciphertext)
            .map_err(|error| Reject::new(RejectCode::SecretMalformed, format_args!("secret {name}: {error}")))?;
        let plaintext = self.keys.decrypt(&binary).map_err(|error| match error {
            HostKeysError::Decrypt(age::DecryptError::NoMatchingKeys) => Reject::new(
                RejectCode::SecretForOthers,
                format_args!("secret {name} is not encrypted to this host; run: muster secret rekey {name}"),
            ),
            _ => Reject::new(RejectCode::SecretMalformed, format_args!("secret {name} is damaged")),
        })?;
        if plaintext.len() > MAX_SECRET_BYTES {
            let message = format!("secret {name} has more than {MAX_SECRET_BYTES} bytes");
            return Err(Reject::new(RejectCode::SecretMalformed, message));
        }
        Ok(plaintext)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sha256Digest, Plaintext>> {
        self.filled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(blobs: &Vault, blob: &BlobRef) -> Result<Vec<u8>, Reject> {
    let missing = || Reject::new(RejectCode::BlobMissing, format_args!("blob {} is not there", blob.sha256));
    blobs.load(blob).ok_or_else(missing)
}

/// HMAC-SHA-256 as in RFC 2104.
pub(crate) fn mac(key: &[u8], bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    // It takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Zeroizing::default() };
    mac.update(bytes);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

/// Reads a plaintext without a copy of it.
struct Opened {
    bytes: Plaintext,
    at: usize,
}

impl Read for Opened {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.bytes.get(self.at..).unwrap_or_default().read(to)?;
        self.at += read;
        Ok(read)
    }
}
