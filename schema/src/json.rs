//! Strict JSON: what signed documents are read with.
//!
//! Beyond RFC 8259: no duplicate key, no float, bounded size and depth. Unknown
//! fields are refused by the types themselves (`deny_unknown_fields`).

use serde::de::DeserializeOwned;

use strict::{Seen, Strict};

mod strict;
#[cfg(test)]
mod tests;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 32;

/// Why bytes are no document.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// More bytes than the document's kind may have.
    #[error("{size} bytes are more than the {limit} that are allowed")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not JSON, or not of the expected form.
    #[error("not a valid document")]
    Invalid(#[from] serde_json::Error),
}

/// Reads one document of at most `limit` bytes.
///
/// # Errors
/// When it is larger, no JSON, has a duplicate key, a float or too deep
/// nesting, or does not fit `T`. A `T` that keeps a part unread (`RawValue`) is never fit: nobody would have read it.
pub fn load_strict<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLarge { size: bytes.len(), limit });
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let document = T::deserialize(Strict::new(&mut reader, &mut Seen::default()))?;
    reader.end()?;
    Ok(document)
}
