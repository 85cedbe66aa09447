//! What the orchestrator wrote down: the line of the audit log that the commit was taken by, up to a checkpoint that a
//! signed status commit holds.

use git2::{ObjectType, Oid, Repository};
use muster_schema::CommitId;
use ssh_key::PublicKey;

use super::commits::oid;
use super::hand_checks::commit_files;
use super::{AttestFault, BundleReader, Documents};
use crate::audit::{
    AuditEntry, CHECKPOINT_PATH, Checkpoint, Decision, digest_lines, is_chained, lines_before, load_entries,
};
use crate::verify::verify_commit_by_key;

/// The file of the commits: a git bundle.
pub const BUNDLE: &str = "repository.bundle";

/// The lines of the audit log.
pub const AUDIT: &str = "audit.log";

/// The folder of objects of the status branch.
pub const STATUS: &str = "status/";

const KINDS: [ObjectType; 3] = [ObjectType::Commit, ObjectType::Tree, ObjectType::Blob];

/// The file of an object of the status branch.
pub fn object_file(id: Oid, kind: ObjectType) -> String {
    format!("{STATUS}{id}.{}", kind.str())
}

/// The number of the line, from 1 of the whole log, by which `source` was taken; none where the log has none.
pub fn find_record(repository: &Repository, log: &[u8], source: Oid) -> Option<u64> {
    // One line that was cut off would shift the numbers: they count lines, not entries.
    let lines = log.split(|byte| *byte == b'\n');
    let takes = |line: &[u8]| load_entries(line).first().is_some_and(|entry| takes(repository, entry, source));
    lines.zip(lines_before(log) + 1..).find(|(line, _)| takes(line)).map(|(_, number)| number)
}

/// Whether an entry says that commits were followed of which `source` is one.
fn takes(repository: &Repository, entry: &AuditEntry, source: Oid) -> bool {
    if entry.decision != Decision::Allow || entry.code != "Verified" {
        return false;
    }
    let Some((from, to)) = entry.commits.split_once("..") else { return false };
    let (Ok(from), Ok(to)) = (Oid::from_str(from), Oid::from_str(to)) else { return false };
    let holds = |tip: Oid| tip == source || repository.graph_descendant_of(tip, source).unwrap_or(false);
    holds(to) && !holds(from)
}

/// Verifies the record: that the orchestrator took the commit in, when, and that it can not say otherwise now.
/// Everything of it may be missing; then that is said.
///
/// # Errors
/// When something of it does not hold.
pub fn verify_record(
    repository: &Repository,
    reader: &mut BundleReader<'_>,
    documents: &mut Documents,
    key: Option<&PublicKey>,
) -> Result<(), AttestFault> {
    load_objects(repository, reader)?;
    let Documents { index, manifest, proof, .. } = documents;
    let source = &manifest.source.commit;
    let lacks = format!("when the orchestrator took commit {source} in");
    let Some(log) = reader.find(AUDIT) else {
        proof.lack(format!("{lacks}: the audit log has no line of it"));
        return Ok(());
    };
    let fault = |reason: &str| AttestFault::new(AUDIT, reason);
    if !log.ends_with(b"\n") || !is_chained(log) {
        return Err(fault("a line does not follow the one before"));
    }
    let first = load_entries(log)
        .into_iter()
        .next()
        .filter(|entry| takes(repository, entry, oid(source).unwrap_or(Oid::ZERO_SHA1)));
    let entry = first.ok_or_else(|| fault("its first line does not say that the commit was taken"))?;
    let Some(commit) = &index.checkpoint else {
        proof.lack(format!("{lacks}: its audit log says {}, and no checkpoint holds that yet", entry.at));
        return Ok(());
    };
    let checkpoint = load_checkpoint(repository, reader, commit)?;
    if digest_lines(log).last() != Some(&checkpoint.last) {
        return Err(fault("its last line is not the one of the checkpoint"));
    }
    let says =
        format!("{}: the orchestrator wrote down that it followed {}, by {}", entry.at, entry.commits, entry.who);
    match key {
        Some(key) => {
            verify_commit_by_key(repository, oid(commit)?, key).map_err(|error| {
                AttestFault::new(object_file(oid(commit).unwrap_or(Oid::ZERO_SHA1), ObjectType::Commit), error)
            })?;
            proof.show(says, format!("the status key, in status commit {commit}"));
        }
        None => proof.lack(format!(
            "{lacks}: status commit {commit} says {}, and whose it is only the status key tells; give --status-key",
            entry.at
        )),
    }
    Ok(())
}

/// Puts the objects of the status branch into the repository; each is named by what it holds.
fn load_objects(repository: &Repository, reader: &mut BundleReader<'_>) -> Result<(), AttestFault> {
    let odb = repository.odb().map_err(|error| AttestFault::new(STATUS, error.message()))?;
    for name in reader.names_in(STATUS) {
        let bytes = reader.get(name)?;
        let stored = KINDS.iter().any(|kind| odb.write(*kind, bytes).is_ok_and(|id| object_file(id, *kind) == name));
        if !stored {
            return Err(AttestFault::new(name, "it is not the object that its name says"));
        }
    }
    Ok(())
}

fn load_checkpoint(
    repository: &Repository,
    reader: &mut BundleReader<'_>,
    commit: &CommitId,
) -> Result<Checkpoint, AttestFault> {
    let id = oid(commit)?;
    let file = object_file(id, ObjectType::Commit);
    let fault = |error: git2::Error| AttestFault::new(file.as_str(), error.message());
    for (name, content) in commit_files(repository, id).map_err(fault)? {
        reader.expect(&name, &content)?;
    }
    let tree = repository.find_commit(id).and_then(|commit| commit.tree()).map_err(fault)?;
    let entry = tree.get_path(std::path::Path::new(CHECKPOINT_PATH)).map_err(fault)?;
    let blob = repository.find_blob(entry.id()).map_err(fault)?;
    serde_json::from_slice(blob.content())
        .map_err(|error| AttestFault::new(object_file(entry.id(), ObjectType::Blob), error))
}
