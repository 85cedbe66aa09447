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
    /// The log does not begin with its first line.
    #[error("the beginning is missing: lines 1 to {lines} are not here\n  hint: --from {}, where they are kept elsewhere", lines + 1)]
    NoBeginning {
        /// How many lines are not here.
        lines: u64,
    },
    /// No checkpoint is of anything that is here.
    #[error(
        "nothing proves what is here: it begins after line {after}, and the newest checkpoint is of line {had}, by status commit {commit}"
    )]
    Uncovered {
        /// How many lines come before what is here.
        after: u64,
        /// The line of the newest checkpoint.
        had: u64,
        /// The commit that says so.
        commit: String,
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

/// How many lines come before `text`, as its first line says: none of a whole log, or of the first segment.
pub fn lines_before(text: &[u8]) -> u64 {
    first_line(text).and_then(|first| first.after).unwrap_or(0)
}

/// Checks that each line follows the one before, from the first one on, and that the log is the one of every
/// checkpoint: all faults, the first of each kind.
pub fn check_log(text: &[u8], checkpoints: &[CheckpointSeen]) -> Vec<AuditFault> {
    let mut faults = check_end_of_log(text, checkpoints);
    let lines = lines_before(text);
    if lines > 0 {
        faults.insert(0, AuditFault::NoBeginning { lines });
    }
    faults
}

/// As [`check_log`], of a log whose first segments are kept elsewhere: checkpoints of lines that are not here prove
/// nothing, but one of the line right before the first does.
pub fn check_end_of_log(text: &[u8], checkpoints: &[CheckpointSeen]) -> Vec<AuditFault> {
    let digests = digest_lines(text);
    let before = lines_before(text);
    let start = match first_line(text) {
        Some(first) if before > 0 => first.prev,
        _ => Sha256Digest::of(b""),
    };
    let mut faults: Vec<AuditFault> = first_broken(text, &digests, start, Some(before)).into_iter().collect();
    let has = before.saturating_add(count(digests.len()));
    let digest_of = |line: u64| match line.checked_sub(before)? {
        0 => (before > 0).then_some(start),
        line => digests.get(usize::try_from(line - 1).ok()?).copied(),
    };
    let by_line: BTreeMap<u64, Vec<&CheckpointSeen>> = checkpoints.iter().fold(BTreeMap::new(), |mut all, seen| {
        all.entry(seen.checkpoint.lines).or_insert_with(Vec::new).push(seen);
        all
    });
    let mut after = before;
    let here = |line: u64| (before == 0 || line >= before) && line <= has;
    for (line, seen) in by_line.iter().filter(|(line, _)| here(**line)) {
        let digest = digest_of(*line);
        if let Some(other) = seen.iter().find(|seen| Some(seen.checkpoint.last) != digest) {
            faults.push(AuditFault::Forked { after, line: *line, commit: other.commit.clone() });
            break;
        }
        after = *line;
    }
    if let Some((had, seen)) = by_line.last_key_value().filter(|(had, _)| **had > has) {
        let commit = seen.first().map(|seen| seen.commit.clone()).unwrap_or_default();
        faults.push(AuditFault::Missing { has, had: *had, commit });
    }
    if let Some((had, seen)) = by_line.last_key_value().filter(|(had, _)| **had < before) {
        let commit = seen.first().map(|seen| seen.commit.clone()).unwrap_or_default();
        faults.push(AuditFault::Uncovered { after: before, had: *had, commit });
    }
    faults
}

/// The entries of a log. A line that was cut off by a crash says nothing, and is left out.
pub fn load_entries(text: &[u8]) -> Vec<AuditEntry> {
    lines_of(text).filter_map(|line| Some(serde_json::from_slice::<Line>(line).ok()?.entry)).collect()
}

/// Whether each line follows the one before, in lines from the middle of a log.
pub fn is_chained(text: &[u8]) -> bool {
    first_line(text).is_some_and(|first| first_broken(text, &digest_lines(text), first.prev, None).is_none())
}

/// The first line that does not follow the one before, whose digest is `last` at first. Where it is known how many
/// lines come `before`, one that begins a segment has to say the same.
fn first_broken(
    text: &[u8],
    digests: &[Sha256Digest],
    mut last: Sha256Digest,
    before: Option<u64>,
) -> Option<AuditFault> {
    for (index, (line, digest)) in lines_of(text).zip(digests).enumerate() {
        let number = before.unwrap_or(0).saturating_add(count(index));
        // One that was cut off by a crash says nothing, and the next one names it.
        let breaks =
            |read: Line| read.prev != last || (before.is_some() && read.after.is_some_and(|after| after != number));
        if serde_json::from_slice::<Line>(line).is_ok_and(breaks) {
            return Some(AuditFault::Broken { line: number.saturating_add(1) });
        }
        last = *digest;
    }
    None
}

fn first_line(text: &[u8]) -> Option<Line> {
    lines_of(text).next().and_then(|line| serde_json::from_slice(line).ok())
}

fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|byte| *byte == b'\n').filter(move |_| !text.is_empty())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
