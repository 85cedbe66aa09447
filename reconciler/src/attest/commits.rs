//! The signed commit: who told the host.

use std::collections::{BTreeSet, HashSet};

use git2::{ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult};
use muster_schema::manifest::content_digest;
use muster_schema::{CommitId, FleetName, Sha256Digest};

use super::hand_checks::commit_files;
use super::record::BUNDLE;
use super::{AttestFault, BundleReader, Documents};
use crate::model::Model;
use crate::render::{FactsOfFleet, NotRendered, render_host};
use crate::verify::{RenderEffects, Terms, VerifiedCommit, verify_commits};

/// Under which circumstances the commits of a bundle are judged.
#[derive(Debug, Clone)]
pub struct CommitTerms<'a> {
    /// The commit that is trusted by its id; its policy says who may sign what comes after.
    pub trust: Option<CommitId>,
    /// The watched branch in full.
    pub reference: String,
    /// Tells what a commit brings about on hosts.
    pub effects: &'a dyn RenderEffects,
}

/// Verifies the commits of the bundle: that people whom the policy allows signed what the manifest was rendered from.
///
/// # Errors
/// When a commit does not hold, or is not there.
pub fn verify_revision(
    repository: &Repository,
    reader: &mut BundleReader<'_>,
    documents: &mut Documents,
    terms: &CommitTerms<'_>,
) -> Result<(), AttestFault> {
    let (revision, source) = (oid(&documents.head.revision)?, oid(&documents.manifest.source.commit)?);
    let unreadable = |error: git2::Error| AttestFault::new(BUNDLE, error.message());
    if source != revision && !repository.graph_descendant_of(revision, source).map_err(unreadable)? {
        return Err(AttestFault::new(BUNDLE, format!("commit {source} is not in the history of revision {revision}")));
    }
    for (file, content) in commit_files(repository, source).map_err(unreadable)? {
        reader.expect(&file, &content)?;
    }
    let fleet = documents.head.fleet.clone();
    let receipt = documents.head.issued;
    let judge = |anchor: Oid, tip: Oid, fleet: &FleetName| {
        let terms = Terms { receipt, fleet, reference: &terms.reference, effects: terms.effects };
        verify_commits(repository, anchor, tip, &terms).map_err(|rejection| AttestFault::new(BUNDLE, rejection))
    };
    let proof = &mut documents.proof;
    let Some(trust) = &terms.trust else {
        let parent = repository.find_commit(source).map_err(unreadable)?.parent_ids().next();
        match parent {
            Some(parent) => {
                let verified = judge(parent, source, &fleet)?;
                show_source(proof, source, verified.commits());
                proof.lack(format!("that commit {parent}, whose policy lists that signer, is of your fleet: give --trust-commit"));
            }
            None => proof.lack(format!("who made commit {source}: it is the first one, and you have not said that you trust it; give --trust-commit")),
        }
        return Ok(());
    };
    let verified = judge(oid(trust)?, revision, &fleet)?;
    let commits = verified.commits();
    if commits.iter().any(|commit| commit.id == source) {
        show_source(proof, source, commits);
    } else {
        proof.show(format!("commit {source} is one that {trust} holds"), "the commit that you trust");
    }
    if !commits.is_empty() {
        let signers: BTreeSet<String> = commits.iter().map(signer_of).collect();
        let signers: Vec<String> = signers.into_iter().collect();
        proof.show(
            format!("each of the {} commits from {trust} to {revision} is one that the policy allows", commits.len()),
            signers.join("; "),
        );
    }
    Ok(())
}

fn show_source(proof: &mut super::Proof, source: Oid, commits: &[VerifiedCommit]) {
    if let Some(commit) = commits.iter().find(|commit| commit.id == source) {
        let subject: String =
            commit.message.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
        proof.show(format!("commit {source} ({subject}) says so"), signer_of(commit));
    }
}

fn signer_of(commit: &VerifiedCommit) -> String {
    format!("{} ({})", commit.signer.principals.join(", "), commit.signer.fingerprint)
}

/// Renders the host anew and compares it with the manifest: that it follows from the commit, and that the commit names
/// the host's key.
///
/// # Errors
/// When the commit names another key, or the same renderer comes to something else.
pub fn verify_render(documents: &mut Documents, model: &Model, facts: &FactsOfFleet) -> Result<(), AttestFault> {
    let Documents { head, manifest, proof, .. } = documents;
    let (source, host) = (&manifest.source.commit, &head.host);
    let follows = format!("that the manifest follows from commit {source}, beyond the word of the render key");
    let Some(declared) = model.host(&host.id) else {
        proof.lack(format!("{follows}: the commit does not declare {}", host.id));
        return Ok(());
    };
    let is = format!("the key {} is {}'s", host.key.id(), host.id);
    if declared.key.is_none() && !declared.key_unread {
        let how = format!("where a token made it that, 'muster host approve {}' has a commit say so", host.id);
        proof.lack(format!("that {is}: commit {source} names no key of it; {how}"));
    } else if declared.key != Some(host.key) {
        return Err(AttestFault::new(
            BUNDLE,
            format!("commit {source} does not name key {} for {}", host.key.id(), host.id),
        ));
    }
    if declared.key.is_some() {
        proof.show(is, format!("the signers of commit {source}"));
    }
    let rendered = match render_host(model, &host.id, facts) {
        Ok(rendered) => rendered,
        Err(NotRendered::Waiting { missing, .. }) => {
            let missing: Vec<String> = missing.iter().take(5).map(ToString::to_string).collect();
            proof.lack(format!("{follows}: rendering it needs {}", missing.join(", ")));
            return Ok(());
        }
        Err(NotRendered::Faulty { found, .. }) => {
            let found = found.first().map(ToString::to_string).unwrap_or_default();
            proof.lack(format!("{follows}: it cannot be rendered here: {found}"));
            return Ok(());
        }
    };
    let content = content_digest(&rendered.resources, manifest.min_agent).ok();
    if content == manifest.content_digest().ok() {
        proof.show(format!("the manifest is what commit {source} comes to for {}", host.id), "rendering it here anew");
    } else if manifest.renderer.version != env!("CARGO_PKG_VERSION") {
        proof.lack(format!(
            "{follows}: it was rendered by muster {}, this is {}",
            manifest.renderer.version,
            env!("CARGO_PKG_VERSION")
        ));
    } else if rendered.reads.is_empty() {
        return Err(AttestFault::new(
            "manifest.json",
            format!("commit {source} comes to something else for {}", host.id),
        ));
    } else {
        proof.lack(format!("{follows}: with these facts it comes to something else"));
    }
    Ok(())
}

/// Shows of contents that they are files of the commit, byte for byte: what the manifest says of them needs no render.
///
/// # Errors
/// When the commit has no such file.
pub fn verify_verbatim(repository: &Repository, documents: &mut Documents) -> Result<(), AttestFault> {
    let Documents { manifest, proof, .. } = documents;
    if manifest.verbatim.is_empty() {
        return Ok(());
    }
    let unreadable = |error: git2::Error| AttestFault::new(BUNDLE, error.message());
    let commit = oid(&manifest.source.commit)?;
    let tree = repository.find_commit(commit).and_then(|commit| commit.tree()).map_err(unreadable)?;
    let mut files = HashSet::new();
    let walked = tree.walk(TreeWalkMode::PreOrder, |_, entry| {
        if entry.kind() == Some(ObjectType::Blob) {
            files.insert(entry.id());
        }
        TreeWalkResult::Ok
    });
    walked.map_err(unreadable)?;
    for (content, blob) in &manifest.verbatim {
        let id = Oid::from_bytes(&blob.0).map_err(unreadable)?;
        if !files.contains(&id) {
            let why = format!("commit {commit} has no file {blob}, which content {content} is said to be");
            return Err(AttestFault::new("manifest.json", why));
        }
        if Sha256Digest::of(repository.find_blob(id).map_err(unreadable)?.content()) != *content {
            let why = format!("content {content} is not file {blob} of commit {commit}");
            return Err(AttestFault::new("manifest.json", why));
        }
    }
    let count = manifest.verbatim.len();
    proof.show(format!("{count} of its contents are files of commit {commit}, byte for byte"), "their ids in Git");
    Ok(())
}

pub(super) fn oid(commit: &CommitId) -> Result<Oid, AttestFault> {
    Oid::from_str(commit.as_str()).map_err(|error| AttestFault::new(BUNDLE, error.message()))
}
