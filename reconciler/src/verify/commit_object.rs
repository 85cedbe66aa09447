//! A strict reader of raw commit objects.
//!
//! git accepts much more than it writes (a second signature, unknown headers,
//! NUL bytes). What two readers may understand differently is refused here.

use super::display::display_text;
use super::fault::CommitFault;

/// A commit taken apart into what was signed and the signature.
#[derive(Debug, PartialEq, Eq)]
pub struct CommitObject {
    /// The commit's bytes without the signature header: what was signed.
    pub payload: Vec<u8>,
    /// The armoured signature, if there is one.
    pub signature: Option<Vec<u8>>,
    /// The message, with unknown bytes replaced.
    pub message: String,
    /// Number of parents.
    pub parents: usize,
}

/// Takes the raw bytes of a commit object apart.
///
/// # Errors
/// When git would not write it so, or two readers could understand it differently.
pub fn parse_commit(raw: &[u8]) -> Result<CommitObject, CommitFault> {
    if raw.contains(&0) {
        return Err(malformed("it holds a NUL byte"));
    }
    let end = find_header_end(raw).ok_or_else(|| malformed("its headers do not end"))?;
    let (headers, message) = raw.split_at(end);

    let mut payload = Vec::with_capacity(raw.len());
    let mut signature: Option<Vec<u8>> = None;
    let mut in_signature = false;
    let mut stage = Stage::Tree;
    let mut parents = 0;
    let mut encoding = false;

    for line in headers.split_inclusive(|&byte| byte == b'\n') {
        if let Some(continued) = line.strip_prefix(b" ") {
            match (&mut signature, in_signature) {
                (Some(text), true) => text.extend_from_slice(continued),
                _ => return Err(malformed("a header line continues nothing")),
            }
            continue;
        }
        in_signature = false;
        let name = line.split(|&byte| byte == b' ' || byte == b'\n').next().unwrap_or_default();
        let next = match name {
            b"tree" if stage == Stage::Tree => Stage::Parents,
            b"parent" if stage == Stage::Parents => {
                parents += 1;
                Stage::Parents
            }
            b"author" if stage == Stage::Parents => Stage::Committer,
            b"committer" if stage == Stage::Committer => Stage::Rest,
            b"encoding" if stage == Stage::Rest && !encoding => {
                encoding = true;
                Stage::Rest
            }
            b"gpgsig" if stage == Stage::Rest => {
                if signature.is_some() {
                    return Err(CommitFault::DoubleSignature);
                }
                signature = Some(line.get(b"gpgsig ".len()..).unwrap_or_default().to_vec());
                in_signature = true;
                continue;
            }
            // git's second signature, made for repositories with SHA-256 ids.
            b"gpgsig-sha256" => return Err(CommitFault::DoubleSignature),
            b"tree" | b"parent" | b"author" | b"committer" | b"encoding" | b"gpgsig" => {
                return Err(malformed("a header is repeated or out of order"));
            }
            _ => return Err(CommitFault::ForeignHeader { name: display_text(name) }),
        };
        stage = next;
        payload.extend_from_slice(line);
    }
    if stage != Stage::Rest {
        return Err(malformed("a header is missing"));
    }
    payload.extend_from_slice(message);
    let text = String::from_utf8_lossy(message.get(1..).unwrap_or_default()).into_owned();
    Ok(CommitObject { payload, signature, message: text, parents })
}

/// Which header must come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Tree,
    Parents,
    Committer,
    Rest,
}

/// Where the empty line between headers and message stands.
fn find_header_end(raw: &[u8]) -> Option<usize> {
    raw.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 1)
}

fn malformed(reason: &'static str) -> CommitFault {
    CommitFault::Malformed { reason }
}
