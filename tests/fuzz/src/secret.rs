//! Encrypted secrets, before any key is used.

use muster_schema::secret::{Content, MAX_CIPHERTEXT_BYTES, load_age};

/// A ciphertext is taken as it is, or out of its armour; a content is read and written back.
pub(crate) fn secret(bytes: &[u8]) {
    if let Ok(binary) = load_age(bytes) {
        assert!(binary.starts_with(b"age-encryption.org/v1\n"));
        assert!(binary.len() as u64 <= MAX_CIPHERTEXT_BYTES);
        assert_eq!(load_age(&binary).unwrap(), binary, "what was taken is taken again");
    }
    if let Ok(content) = serde_json::from_slice::<Content>(bytes) {
        let json = serde_json::to_vec(&content).unwrap();
        assert_eq!(serde_json::from_slice::<Content>(&json).unwrap(), content);
    }
}
