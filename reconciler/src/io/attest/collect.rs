//! Collects a bundle on the machine of the orchestrator, which may run meanwhile.

use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository};
use muster_schema::manifest::Manifest;
use muster_schema::root::VerifiedRoot;
use muster_schema::{HostId, Timestamp, json};

use super::AttestError;
use crate::attest::{
    AUDIT, Attestation, AttestationType, BUNDLE, Bundle, INDEX, choose_heads, choose_reports, commit_files,
    find_record, key_files, load_reports, object_file,
};
use crate::audit::{CHECKPOINT_PATH, Checkpoint, lines_before};
use crate::io::archive::{Kind, load_archived};
use crate::io::audit::read_log;
use crate::io::git::{GitError, open_repository, pack_bundle, walk_status_history};
use crate::io::inbox::load_inbox;
use crate::io::key_folder::KeyFolder;
use crate::io::store::PublishedTree;

/// Where the orchestrator keeps what is collected.
#[derive(Debug)]
pub struct AttestSource {
    /// Its data folder.
    pub data: PathBuf,
    /// The repository that it watches, or its mirror, with the status branch.
    pub repository: PathBuf,
    /// The watched branch.
    pub branch: String,
}

/// Collects what shows what `host` was told to be at a time, and what it said.
///
/// # Errors
/// When nothing was in force at that time, or something cannot be read.
pub fn collect_bundle(source: &AttestSource, host: &HostId, at: Timestamp) -> Result<Bundle, AttestError> {
    let data = source.data.as_path();
    let mut bundle = Bundle::default();
    let roots = put_roots(&mut bundle, data)?;
    let frames = load_archived(data, Kind::Heads, &format!("\"id\":\"{host}\""))?;
    let (head, next) = choose_heads(&frames, host, &roots, at);
    let Some((head, bytes, signature)) = head else {
        let first = next.map_or_else(
            || "none is kept".to_owned(),
            |(next, ..)| format!("the first that is kept is of {}", next.issued),
        );
        return Err(AttestError::Nothing(format!("at {at} {host} had been told nothing: {first}")));
    };
    if head.expires <= at {
        let ended = head.expires;
        return Err(AttestError::Nothing(format!(
            "at {at} nothing was in force for {host}: its last head before ended at {ended}"
        )));
    }
    bundle.put_signed("head.json", &bytes, [&signature]);
    if let Some((_, bytes, signature)) = next {
        bundle.put_signed("next-head.json", &bytes, [&signature]);
    }
    let manifest = put_manifest(&mut bundle, data, &head, &roots)?;
    for (file, text) in key_files(&roots, &head.host.key) {
        bundle.files.insert(file, text.into_bytes());
    }
    // What is being moved from the one to the other is found in one of them.
    let mut frames = load_inbox(&data.join("inbox")).map_err(super::ArchiveError::from)?;
    frames.extend(load_archived(data, Kind::Reports, &head.host.key.to_string())?);
    let reports = load_reports(&frames, &head.host);
    bundle.put_reports(choose_reports(&reports, head.manifest, at));
    let repository = open_repository(&source.repository)?;
    let revision = oid(head.revision.as_str())?;
    let reference = format!("refs/heads/{}", source.branch);
    bundle.files.insert(BUNDLE.to_owned(), pack_bundle(&repository, revision, &reference)?);
    let commit = oid(manifest.source.commit.as_str())?;
    bundle.files.extend(commit_files(&repository, commit).map_err(read)?);
    let checkpoint = put_record(&mut bundle, source, &repository, commit)?;
    let checkpoint = checkpoint.map(crate::verify::commit_id);
    let (fleet, host, branch) = (head.fleet, host.clone(), source.branch.clone());
    let index = Attestation { r#type: AttestationType::Is, fleet, host, at, branch, checkpoint };
    bundle.files.insert(INDEX.to_owned(), serde_json::to_vec(&index)?);
    Ok(bundle)
}

fn put_roots(bundle: &mut Bundle, data: &Path) -> Result<Vec<VerifiedRoot>, AttestError> {
    let signed = KeyFolder::new(&data.join("published")).load_roots()?;
    for (root, signatures) in &signed {
        bundle.put_signed(&format!("{}.root.json", root.root().version), root.bytes(), signatures);
    }
    Ok(signed.into_iter().map(|(root, _)| root).collect())
}

fn put_manifest(
    bundle: &mut Bundle,
    data: &Path,
    head: &muster_schema::head::Head,
    roots: &[VerifiedRoot],
) -> Result<Manifest, AttestError> {
    let missing = || AttestError::Nothing(format!("manifest {} is not in the published tree any more", head.manifest));
    let tree = PublishedTree::open(data.join("published"))?;
    let (bytes, mut signatures) = tree.load_manifest(&head.host.id, head.manifest)?.ok_or_else(missing)?;
    let known = |signature: &muster_schema::envelope::Signature| {
        let keys = roots.iter().map(|root| &root.root().roles);
        let keys = keys.flat_map(|roles| roles.render.keys.iter().chain(&roles.witness.keys));
        keys.into_iter().any(|key| signature.verify(&bytes, key).is_ok())
    };
    signatures.retain(known);
    bundle.put_signed("manifest.json", &bytes, &signatures);
    let manifest = json::load_strict(&bytes, muster_schema::manifest::MAX_MANIFEST_BYTES);
    manifest.map_err(|error| AttestError::Nothing(format!("manifest {}: {error}", head.manifest)))
}

/// The line of the audit log that took the commit, up to the first checkpoint after it, and that checkpoint.
fn put_record(
    bundle: &mut Bundle,
    source: &AttestSource,
    repository: &Repository,
    commit: Oid,
) -> Result<Option<Oid>, AttestError> {
    let log = read_log(&source.data)?;
    let Some(line) = find_record(repository, &log, commit) else { return Ok(None) };
    let mut found: Option<(Oid, Checkpoint)> = None;
    // Newest first: the last that fits is the oldest.
    walk_status_history(repository, CHECKPOINT_PATH, |id, bytes| {
        if let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(bytes)
            && checkpoint.lines >= line
        {
            found = Some((id, checkpoint));
        }
    })?;
    let until = found.as_ref().map_or(line, |(_, checkpoint)| checkpoint.lines);
    let skip = index(line.saturating_sub(1).saturating_sub(lines_before(&log)));
    let take = index(until.saturating_sub(line) + 1);
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').skip(skip).take(take).collect();
    bundle.files.insert(AUDIT.to_owned(), lines.concat());
    let Some((id, _)) = found else { return Ok(None) };
    bundle.files.extend(commit_files(repository, id).map_err(read)?);
    put_path(bundle, repository, id, CHECKPOINT_PATH).map_err(read)?;
    Ok(Some(id))
}

/// Adds a commit and the trees and the blob that lead to a path of it.
fn put_path(bundle: &mut Bundle, repository: &Repository, commit: Oid, path: &str) -> Result<(), git2::Error> {
    let odb = repository.odb()?;
    let mut put = |id: Oid, kind: ObjectType| {
        let object = odb.read(id)?;
        bundle.files.insert(object_file(id, kind), object.data().to_vec());
        Ok::<_, git2::Error>(())
    };
    put(commit, ObjectType::Commit)?;
    let mut tree = repository.find_commit(commit)?.tree()?;
    put(tree.id(), ObjectType::Tree)?;
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        let entry = tree.get_name(name).ok_or_else(|| git2::Error::from_str("the path is not in the commit"))?.id();
        if names.peek().is_none() {
            return put(entry, ObjectType::Blob);
        }
        put(entry, ObjectType::Tree)?;
        tree = repository.find_tree(entry)?;
    }
    Ok(())
}

fn oid(id: &str) -> Result<Oid, AttestError> {
    Oid::from_str(id).map_err(read)
}

fn read(source: git2::Error) -> AttestError {
    GitError::Read { what: "the repository".to_owned(), source }.into()
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
