//! The chain of lines, and what checkpoints prove of it.

use std::collections::BTreeMap;

use muster_schema::Sha256Digest;
use serde::{Deserialize, Serialize};

use super::entry::{AuditEntry, Line};

/// Where the checkpoint stands in the status branch.
pub const CHECKPOINT_PATH: &str = "audit/checkpoint.json";

/// How far the log went when a status commit was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The log's file name.
    pub file: String,
    /// How many lines it had.
    pub lines: u64,
    /// The SHA-256 of the last one, without its end.
    pub last: Sha256Digest,
}

impl Checkpoint {
    /// The bytes of its file.
    ///
    /// # Errors
    /// Never for one that serialises; the error is serde's.
    pub fn to_file(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// A checkpoint, and the commit that it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointSeen {
    /// The status commit.
    pub commit: String,
    /// What it says.
    pub checkpoint: Checkpoint,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// A line does not follow the one before.
    #[error("line {line} does not follow line {}: one of them was changed, or lines between them are gone", line - 1)]
    Broken {
        /// Its number, from 1.
        line: u64,
    },
    /// The log is shorter than it was.
    #[error("the end is missing: the log has {has} lines, and had {had} by status commit {commit}")]
    Missing {
        /// How many lines there are.
        has: u64,
        /// How many there were.
        had: u64,
        /// The commit that says so.
        commit: String,
    },
    /// It is another log than the one that the checkpoint was made of.
    #[error(
        "this is another log than the one of status commit {commit}: what differs is after line {after} and not after \
         line {line}"
    )]
    Forked {
        /// The last line that a checkpoint proves.
        after: u64,
        /// The line of which a checkpoint says something else.
        line: u64,
        /// The commit that says so.
        commit: String,
    },
}

/// The digest of each line.
pub fn digest_lines(text: &[u8]) -> Vec<Sha256Digest> {
    lines_of(text).map(Sha256Digest::of).collect()
}

/// Checks that each line follows the one before, and that the log is the one of every checkpoint: all faults, the first
/// of each kind.
pub fn check_log(text: &[u8], checkpoints: &[CheckpointSeen]) -> Vec<AuditFault> {
    let digests = digest_lines(text);
    let mut faults: Vec<AuditFault> = first_broken(text, &digests, Sha256Digest::of(b"")).into_iter().collect();
    let has = count(digests.len());
    let by_line: BTreeMap<u64, Vec<&CheckpointSeen>> = checkpoints.iter().fold(BTreeMap::new(), |mut all, seen| {
        all.entry(seen.checkpoint.lines).or_insert_with(Vec::new).push(seen);
        all
    });
    let mut after = 0;
    for (line, seen) in by_line.iter().take_while(|(line, _)| **line <= has) {
        let digest = usize::try_from(*line).ok().and_then(|line| digests.get(line.checked_sub(1)?));
        if let Some(other) = seen.iter().find(|seen| Some(&seen.checkpoint.last) != digest) {
            faults.push(AuditFault::Forked { after, line: *line, commit: other.commit.clone() });
            break;
        }
        after = *line;
    }
    if let Some((had, seen)) = by_line.last_key_value().filter(|(had, _)| **had > has) {
        let commit = seen.first().map(|seen| seen.commit.clone()).unwrap_or_default();
        faults.push(AuditFault::Missing { has, had: *had, commit });
    }
    faults
}

/// The entries of a log. A line that was cut off by a crash says nothing, and is left out.
pub fn load_entries(text: &[u8]) -> Vec<AuditEntry> {
    lines_of(text).filter_map(|line| Some(serde_json::from_slice::<Line>(line).ok()?.entry)).collect()
}

/// Whether each line follows the one before, in lines from the middle of a log.
pub fn is_chained(text: &[u8]) -> bool {
    let first = lines_of(text).next().and_then(|line| serde_json::from_slice::<Line>(line).ok());
    first.is_some_and(|first| first_broken(text, &digest_lines(text), first.prev).is_none())
}

fn first_broken(text: &[u8], digests: &[Sha256Digest], mut last: Sha256Digest) -> Option<AuditFault> {
    for (index, (line, digest)) in lines_of(text).zip(digests).enumerate() {
        // One that was cut off by a crash says nothing, and the next one names it.
        if serde_json::from_slice::<Line>(line).is_ok_and(|read| read.prev != last) {
            return Some(AuditFault::Broken { line: count(index) + 1 });
        }
        last = *digest;
    }
    None
}

fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|byte| *byte == b'\n').filter(move |_| !text.is_empty())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
