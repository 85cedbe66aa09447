//! A sealer: its own copy of the repository, its own anchor, its own keys to open secrets and to sign commits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use age::x25519::Identity;
use git2::{Oid, Repository};
use muster_schema::secret::SecretName;
use muster_schema::{CommitId, FleetName};
use ssh_key::PublicKey;

use super::anchor::{AnchorError, keep_anchor, load_anchor};
use super::clock;
use super::git::{
    CommitAuthor, GitError, RemoteUrl, SecretHistory, SshKeygenSigner, commit_signed, fetch_remote,
    init_bare_repository, push_refs, read_tip,
};
use super::repository::{RepositoryError, list_revision};
use super::verified_clone::{CloneError, CloneTrust, verify_clone};
use crate::model::{Model, ModelCache, ciphertext_path, load_model};
use crate::sealing::{Edits, NotSealed, due_secrets, seal_due};
use crate::verify::{APPROVAL_REFERENCES, commit_id};

/// How often a commit is made anew because others pushed meanwhile.
const ATTEMPTS: usize = 5;

/// What a sealer is set up with.
pub struct SealerSettings {
    /// The state repository.
    pub remote: RemoteUrl,
    /// The watched branch.
    pub branch: String,
    /// The folder for its copy and its anchor.
    pub data: PathBuf,
    /// The commit to trust at the first start.
    pub trust: Option<CommitId>,
    /// The key that signs status commits; without it no facts are known.
    pub status_key: Option<PublicKey>,
    /// What opens the secrets.
    pub identity: Identity,
    /// What signs the commits.
    pub signer: SshKeygenSigner,
    /// Who the commits are of.
    pub email: String,
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SealerError {
    /// The repository cannot be fetched, read, written or pushed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The files of a commit cannot be listed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The anchor cannot be read or kept.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// A commit is refused.
    #[error(transparent)]
    Clone(#[from] CloneError),
    /// Its own commit would be refused.
    #[error("the orchestrator would refuse the sealer's commit, so it is not pushed")]
    OwnCommit(#[source] CloneError),
    /// Nothing says what to trust.
    #[error("nothing says which commit is to be trusted; start once with --trust COMMIT")]
    NoAnchor,
    /// The branch is missing.
    #[error("the repository has no branch {0}")]
    NoBranch(String),
    /// The commit that is trusted is no state repository's.
    #[error("muster.yaml of {0} names no fleet")]
    NoFleet(CommitId),
    /// Others are faster.
    #[error("others pushed {ATTEMPTS} times meanwhile; it is tried again with the next look")]
    Outrun,
}

/// What a round came to.
#[derive(Debug, Default)]
pub struct Sealed {
    /// The pushed commit, where there was something to do.
    pub commit: Option<Oid>,
    /// The secrets that are encrypted anew in it.
    pub done: Vec<SecretName>,
    /// What a person has to see to.
    pub left: Vec<(SecretName, NotSealed)>,
}

/// Looks once: verifies what is new, and encrypts the secrets that are its own to the hosts of the newest revision.
/// When others push meanwhile, it begins again with what they pushed.
///
/// # Errors
/// When something is refused or fails; then nothing is pushed.
pub async fn seal_once(settings: &SealerSettings) -> Result<Sealed, SealerError> {
    let mirror = settings.data.join("mirror.git");
    let anchor = load_anchor(&settings.data)?.or(settings.trust.clone()).ok_or(SealerError::NoAnchor)?;
    let repository = init_bare_repository(&mirror)?;
    let branch = format!("refs/heads/{}", settings.branch);
    let mut tip = fetch_tip(settings, &repository, &branch).await?;
    let fleet = load(&repository, anchor.as_str())?.fleet().cloned().ok_or(SealerError::NoFleet(anchor.clone()))?;
    let mut trusted = anchor.to_string();
    for _ in 0..ATTEMPTS {
        let model = verify(settings, &repository, &fleet, &trusted, tip)?;
        keep_anchor(&settings.data, &commit_id(tip))?;
        trusted = tip.to_string();
        let (edits, mut sealed) = seal_all(settings, &repository, tip, &model)?;
        if edits.is_empty() {
            return Ok(sealed);
        }
        let commit = commit_edits(settings, &repository, tip, &edits, &sealed.done)?;
        // What the orchestrator refuses would hold everything, so that it is not left to it.
        verify(settings, &repository, &fleet, &trusted, commit).map_err(|error| match error {
            SealerError::Clone(refused) => SealerError::OwnCommit(refused),
            other => other,
        })?;
        let Err(error) = push_refs(&mirror, &settings.remote, &[&format!("{commit}:{branch}")], &[]).await else {
            sealed.commit = Some(commit);
            return Ok(sealed);
        };
        let theirs = fetch_tip(settings, &repository, &branch).await?;
        if theirs == tip {
            return Err(error.into());
        }
        tip = theirs;
    }
    Err(SealerError::Outrun)
}

/// Fetches, and gives the newest commit of the watched branch.
async fn fetch_tip(settings: &SealerSettings, repository: &Repository, branch: &str) -> Result<Oid, SealerError> {
    let approvals = format!("+{APPROVAL_REFERENCES}*:{APPROVAL_REFERENCES}*");
    let watched = format!("+{branch}:{branch}");
    let refspecs = [watched.as_str(), "+refs/heads/status*:refs/heads/status*", &approvals];
    fetch_remote(repository.path(), &settings.remote, &refspecs).await?;
    read_tip(repository, branch)?.ok_or_else(|| SealerError::NoBranch(settings.branch.clone()))
}

/// Verifies every commit from `from` to `to` as the orchestrator does, and loads what is there.
fn verify(
    settings: &SealerSettings,
    repository: &Repository,
    fleet: &FleetName,
    from: &str,
    to: Oid,
) -> Result<Model, SealerError> {
    let trust = CloneTrust {
        repository: repository.path().to_owned(),
        branch: settings.branch.clone(),
        commit: from.to_owned(),
        status_key: settings.status_key.clone(),
    };
    Ok(verify_clone(&trust, fleet, &to.to_string(), None)?.model)
}

fn load(repository: &Repository, commit: &str) -> Result<Model, SealerError> {
    Ok(load_model(&list_revision(repository.path(), commit)?, &mut ModelCache::default()).0)
}

fn seal_all(
    settings: &SealerSettings,
    repository: &Repository,
    tip: Oid,
    model: &Model,
) -> Result<(Edits, Sealed), SealerError> {
    let (mut edits, mut sealed) = (Edits::new(), Sealed::default());
    let due = due_secrets(model, &settings.identity.to_public().to_string());
    // The history is long, and most of the time nothing is to be opened.
    let opens = due.iter().any(|(_, due)| due.is_ok());
    let history = opens.then(|| SecretHistory::load(repository, tip)).transpose()?;
    for (name, due) in due {
        let ciphertext = read_blob(repository, tip, &ciphertext_path(&name))?;
        let made = match (due, ciphertext) {
            (Err(why), _) => Err(why),
            (Ok(_), None) => Err(NotSealed::Unset),
            (Ok(due), Some(ciphertext)) => match history.as_ref().and_then(|all| all.find_copied(&name, &ciphertext)) {
                Some(other) => Err(NotSealed::Copied(other.clone())),
                None => seal_due(&due, &ciphertext, &settings.identity),
            },
        };
        match made {
            Ok(made) => {
                edits.extend(made);
                sealed.done.push(name);
            }
            Err(why) => sealed.left.push((name, why)),
        }
    }
    Ok((edits, sealed))
}

fn commit_edits(
    settings: &SealerSettings,
    repository: &Repository,
    tip: Oid,
    edits: &BTreeMap<String, Option<Vec<u8>>>,
    done: &[SecretName],
) -> Result<Oid, SealerError> {
    let email = settings.email.clone();
    let author = CommitAuthor { name: "muster sealer".to_owned(), email, time: clock::now() };
    let names: Vec<String> = done.iter().map(ToString::to_string).collect();
    let message = format!("secrets: Re-encrypt {}\n\nHosts came or went.\n", names.join(", "));
    Ok(commit_signed(repository, &settings.branch, Some(tip), edits, &message, &author, &settings.signer)?)
}

fn read_blob(repository: &Repository, commit: Oid, path: &str) -> Result<Option<Vec<u8>>, GitError> {
    let read = |source| GitError::Read { what: path.to_owned(), source };
    let tree = repository.find_commit(commit).and_then(|commit| commit.tree()).map_err(read)?;
    let Ok(entry) = tree.get_path(path.as_ref()) else { return Ok(None) };
    Ok(Some(repository.find_blob(entry.id()).map_err(read)?.content().to_vec()))
}
