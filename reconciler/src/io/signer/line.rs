//! The protocol of signer processes: a line of JSON each way, over a stream socket.

use std::io::{BufRead, Read, Write};

use muster_schema::PublicKey;
use muster_schema::manifest::MAX_MANIFEST_BYTES;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest line with a question: the largest manifest in base64, and what stands around it.
pub(super) const MAX_QUESTION: usize = MAX_MANIFEST_BYTES.div_ceil(3) * 4 + 1024;

/// The longest line with an answer.
pub(super) const MAX_ANSWER: usize = 64 * 1024;

/// What a signer is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Question {
    /// Which keys of this role can you sign with?
    Keys {
        /// `render` or `fresh`.
        role: String,
    },
    /// Sign these bytes, prehashed.
    Sign {
        /// `render` or `fresh`.
        role: String,
        /// With which key.
        key: PublicKey,
        /// The bytes, in base64.
        bytes: String,
        /// The comment that is signed with them.
        comment: String,
    },
}

/// What a signer answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// Its keys of the role.
    Keys(Vec<PublicKey>),
    /// The four lines of a minisign signature.
    Signature(String),
    /// Why not.
    Error(String),
}

/// Reads one line of at most `cap` bytes; none at the end of the stream.
pub(super) fn read_line<T: DeserializeOwned>(
    reader: &mut impl BufRead,
    cap: usize,
) -> Result<Option<T>, std::io::Error> {
    let mut line = Vec::new();
    reader.take(cap as u64 + 1).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        Some(_) => Err(std::io::Error::other("a line has no end, or is too long")),
    }
}

/// Writes one line.
pub(super) fn write_line(writer: &mut impl Write, value: &impl Serialize) -> Result<(), std::io::Error> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line)?;
    writer.flush()
}
