//! The facts of a host with the bytes that the host signed.

use muster_schema::message::FactsBody;

/// Facts as a host reported them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsRecord {
    /// What the message says.
    pub body: FactsBody,
    /// The message's exact bytes.
    pub bytes: Vec<u8>,
    /// The text of the host's signature over them.
    pub signature: String,
}
