//! The key of a file, under which all its values are encrypted.

use age::x25519::Identity;
use muster_schema::secret::load_age;
use zeroize::Zeroizing;

use super::SopsError;
use super::metadata::Metadata;

/// 32 bytes for AES-256.
pub(super) struct DataKey(pub(super) Zeroizing<[u8; 32]>);

impl DataKey {
    /// Opens it by one of these keys.
    pub(super) fn open(metadata: &Metadata, identities: &[Identity]) -> Result<DataKey, SopsError> {
        for (recipient, encrypted) in &metadata.recipients {
            let Some(identity) = identities.iter().find(|one| one.to_public().to_string() == *recipient) else {
                continue;
            };
            let opened = load_age(encrypted.as_bytes()).ok().and_then(|file| age::decrypt(identity, &file).ok());
            let key = opened.map(Zeroizing::new).and_then(|bytes| bytes.as_slice().try_into().ok());
            let fault = || SopsError::DataKey { recipient: recipient.clone() };
            return key.map(|key| DataKey(Zeroizing::new(key))).ok_or_else(fault);
        }
        let recipients: Vec<&str> = metadata.recipients.iter().map(|(recipient, _)| recipient.as_str()).collect();
        Err(SopsError::NoIdentity(recipients.join(", ")))
    }
}
