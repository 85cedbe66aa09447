//! A witness: its own copy of the repository, its own pin, and the orchestrator that it asks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use git2::{Oid, Repository};
use muster_schema::envelope::join_frame;
use muster_schema::root::{RoleName, Root};
use muster_schema::{CommitId, Sha256Digest};
use ssh_key::PublicKey;

use super::anchor::{AnchorError, keep_anchor, load_anchor};
use super::clock;
use super::git::{GitError, RemoteUrl, fetch_remote, init_bare_repository, load_status_tree, read_tip};
use super::key_folder::{KeyFolder, KeyFolderError};
use super::repository::{RepositoryError, list_revision};
use super::signer::{FileSigner, Signer, SignerError};
use crate::cycle::FleetRenders;
use crate::model::{Model, ModelCache, load_model};
use crate::status::{FleetStatus, load_status};
use crate::verify::{Rejection, Terms, verify_commits};
use crate::witness::{
    NotWitnessed, PendingManifest, WitnessRequest, WitnessRequestType, facts_by_model, witness_manifest,
};

/// The most bytes of the orchestrator's answer.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// What a witness is set up with.
pub struct WitnessSettings {
    /// The state repository.
    pub remote: RemoteUrl,
    /// The watched branch.
    pub branch: String,
    /// The folder for its copy and its anchor.
    pub data: PathBuf,
    /// The commit to trust at the first start.
    pub trust: Option<CommitId>,
    /// A folder of root documents.
    pub roots: PathBuf,
    /// The fingerprint of one of them.
    pub root: Sha256Digest,
    /// The key that signs status commits.
    pub status_key: PublicKey,
    /// The witness's key.
    pub key: FileSigner,
    /// The orchestrator's address.
    pub server: String,
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The repository cannot be fetched or read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The files of a commit cannot be listed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The anchor cannot be read or kept.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The root documents do not hold.
    #[error(transparent)]
    Roots(#[from] KeyFolderError),
    /// The key cannot sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A commit is refused.
    #[error("the repository's tip is refused: {0}")]
    Refused(Box<Rejection>),
    /// Nothing says what to trust.
    #[error("nothing says which commit is to be trusted; start once with --trust COMMIT")]
    NoAnchor,
    /// The branch is missing.
    #[error("the repository has no branch {0}")]
    NoBranch(String),
    /// The root documents are not those that are pinned.
    #[error("no root document in {0} has the fingerprint that is pinned")]
    NotPinned(PathBuf),
    /// The key is no witness.
    #[error("{key} is no witness by root document {version}")]
    NoWitness {
        /// The key's id.
        key: String,
        /// The newest root document.
        version: u64,
    },
    /// The orchestrator does not answer as it should.
    #[error("{url}: {reason}")]
    Server {
        /// What was asked.
        url: String,
        /// Why.
        reason: String,
    },
    /// JSON failed.
    #[error("writing JSON failed")]
    Json(#[from] serde_json::Error),
}

/// What became of a manifest.
pub type Judged = (PendingManifest, Result<(), NotWitnessed>);

/// Looks once: follows the repository, renders what is to be signed, and signs what is the same.
///
/// # Errors
/// When the repository, the keys or the orchestrator fail; then nothing more is signed.
pub async fn witness_once(settings: &WitnessSettings) -> Result<Vec<Judged>, WitnessError> {
    let root = load_root(settings)?;
    let mirror = settings.data.join("mirror.git");
    let repository = init_bare_repository(&mirror)?;
    let branch = format!("refs/heads/{}", settings.branch);
    let refspecs = [format!("+{branch}:{branch}"), "+refs/heads/status:refs/heads/status".into(), approvals()];
    let refspecs: Vec<&str> = refspecs.iter().map(String::as_str).collect();
    fetch_remote(&mirror, &settings.remote, &refspecs).await?;
    let tree = load_status_tree(&mirror, &settings.status_key)?;
    let status = tree.map(|tree| load_status(&root.fleet, &tree.files, clock::now()).fleet);
    let status = status.unwrap_or_else(|| FleetStatus::new(root.fleet.clone()));
    let mut cache = ModelCache::default();
    let mainline = follow(settings, &repository, &branch, &root, &status, &mut cache)?;
    let mut judged = Vec::new();
    for pending in ask(settings, &root)? {
        let verdict = judge(&repository, &mainline, &pending, &root, &status, &mut cache)?;
        let verdict = match verdict {
            Ok(bytes) => {
                let comment = format!("muster manifest {} witnessed", pending.host.id);
                let signature = settings.key.sign(&bytes, &comment)?;
                let path = format!("hosts/{}/{}", pending.host.id, pending.manifest);
                let (status, _) = post(settings, &path, signature.text().as_bytes())?;
                // Another one has taken its place meanwhile.
                if status == StatusCode::GONE {
                    continue;
                }
                Ok(())
            }
            Err(why) => Err(why),
        };
        judged.push((pending, verdict));
    }
    Ok(judged)
}

fn approvals() -> String {
    format!("+{0}*:{0}*", crate::verify::APPROVAL_REFERENCES)
}

/// The newest root document of the folder, which follows from the pinned one.
fn load_root(settings: &WitnessSettings) -> Result<Root, WitnessError> {
    let roots = KeyFolder::new(&settings.roots).load_roots()?;
    let pinned = roots.iter().any(|(root, _)| Sha256Digest::of(root.bytes()) == settings.root);
    let newest = roots.last().filter(|_| pinned).ok_or_else(|| WitnessError::NotPinned(settings.roots.clone()))?;
    let root = newest.0.root().clone();
    let key = settings.key.public_key();
    if !root.roles.get(RoleName::Witness).keys.contains(&key) {
        return Err(WitnessError::NoWitness { key: key.id().to_string(), version: root.version });
    }
    Ok(root)
}

/// Verifies the repository from the witness's own anchor, and returns the commits that were ever its mainline.
fn follow(
    settings: &WitnessSettings,
    repository: &Repository,
    branch: &str,
    root: &Root,
    status: &FleetStatus,
    cache: &mut ModelCache,
) -> Result<HashSet<Oid>, WitnessError> {
    let read = |source| GitError::Read { what: "the repository".to_owned(), source };
    let anchor = load_anchor(&settings.data)?.or(settings.trust.clone()).ok_or(WitnessError::NoAnchor)?;
    let tip = read_tip(repository, branch)?.ok_or_else(|| WitnessError::NoBranch(settings.branch.clone()))?;
    let from = Oid::from_str(anchor.as_str()).map_err(read)?;
    let facts = facts_by_model(status, &load(repository.path(), &tip.to_string(), cache)?);
    let renders = FleetRenders::of(repository.path());
    let effects = renders.by(&facts);
    let terms = Terms { receipt: clock::now(), fleet: &root.fleet, reference: branch, effects: &effects };
    verify_commits(repository, from, tip, &terms).map_err(|rejection| WitnessError::Refused(Box::new(rejection)))?;
    keep_anchor(&settings.data, &crate::verify::commit_id(tip))?;
    let mut walk = repository.revwalk().map_err(read)?;
    walk.push(tip).and_then(|()| walk.simplify_first_parent()).map_err(read)?;
    Ok(walk.collect::<Result<_, _>>().map_err(read)?)
}

fn judge(
    repository: &Repository,
    mainline: &HashSet<Oid>,
    pending: &PendingManifest,
    root: &Root,
    status: &FleetStatus,
    cache: &mut ModelCache,
) -> Result<Result<Vec<u8>, NotWitnessed>, WitnessError> {
    let source = Oid::from_str(pending.source.commit.as_str()).unwrap_or(Oid::ZERO_SHA1);
    if !mainline.contains(&source) {
        return Ok(Err(NotWitnessed::Differs(format!("commit {source} is not in the history that was verified here"))));
    }
    let model = load(repository.path(), pending.source.commit.as_str(), cache)?;
    let parent = repository.find_commit(source).ok().and_then(|commit| commit.parent_ids().next());
    let before = parent.map(|parent| load(repository.path(), &parent.to_string(), cache)).transpose()?;
    let facts = facts_by_model(status, &model);
    Ok(witness_manifest(pending, (&root.fleet, root.epoch), (&model, before.as_ref()), &facts))
}

fn load(repository: &Path, commit: &str, cache: &mut ModelCache) -> Result<Model, WitnessError> {
    Ok(load_model(&list_revision(repository, commit)?, cache).0)
}

/// What is to be signed.
fn ask(settings: &WitnessSettings, root: &Root) -> Result<Vec<PendingManifest>, WitnessError> {
    let request = WitnessRequest { r#type: WitnessRequestType::Is, fleet: root.fleet.clone(), issued: clock::now() };
    let bytes = serde_json::to_vec(&request)?;
    let frame = join_frame(&settings.key.sign(&bytes, "muster witness request")?, &bytes);
    Ok(serde_json::from_str(&post(settings, "pending", &frame)?.1)?)
}

fn post(settings: &WitnessSettings, path: &str, body: &[u8]) -> Result<(StatusCode, String), WitnessError> {
    let url = format!("{}/witness/v1/{path}", settings.server.trim_end_matches('/'));
    let failed = |reason: String| WitnessError::Server { url: url.clone(), reason };
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.post(&url).send(body).map_err(|error| failed(error.to_string()))?;
    let status = answer.status();
    let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
    let text = text.map_err(|error| failed(error.to_string()))?;
    if status.is_success() || status == StatusCode::GONE {
        Ok((status, text))
    } else {
        Err(failed(format!("{status}: {}", text.trim())))
    }
}
