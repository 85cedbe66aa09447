//! The proof that a host holds both of its keys, as the host signed it.

/// A host's answer to the challenge. Its signature binds the recipient to the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentProof {
    /// The age recipient that the answer names.
    pub recipient: String,
    /// The answer's exact bytes.
    pub bytes: Vec<u8>,
    /// The text of the host's signature over them.
    pub signature: String,
}
