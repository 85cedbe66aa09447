//! The operator's own copy of the state repository, for commands that commit.
#![allow(clippy::disallowed_methods, reason = "resolves where a remote on this machine is")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use git2::{ObjectType, Oid, Reference, Repository, Tree};
use muster_schema::{FleetName, HostId};
use ssh_key::PublicKey;

use super::progress;
use super::say::say;
use crate::io::clock;
use crate::io::git::{
    CommitAuthor, GitError, OperatorSigner, RemoteUrl, SecretHistory, SshKeygenSigner, advance_branch, commit_signed,
    fetch_remote, load_operator, load_signer, load_status_tree, open_repository, push_refs, read_tip, store_merge,
};
use crate::io::repository::list_revision;
use crate::io::token_proof::verify_binding_below;
use crate::model::{Model, ModelCache, Node, RepositoryFiles, load_model, load_yaml};
use crate::status::Binding;
use crate::verify::APPROVAL_REFERENCES;

/// Which repository, which branch of it, and who signs.
#[derive(Debug, clap::Args)]
pub(super) struct CommitArgs {
    /// The branch to commit to, and to push: another than main for a pull request. Needed where your clone is on
    /// another branch than main.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    #[command(flatten)]
    operator: OperatorArgs,
}

/// Which repository, and who signs.
#[derive(Debug, clap::Args)]
pub(super) struct OperatorArgs {
    /// Your clone of the state repository, or the bare repository itself.
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// Your SSH key; unless given, the key that git signs with: user.signingKey, of SSH or OpenPGP.
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// Your e-mail address; git's user.email unless given.
    #[arg(long)]
    email: Option<String>,
    /// Leave the commit in the clone.
    #[arg(long)]
    no_push: bool,
}

/// Which repository, to be read.
#[derive(Debug, clap::Args)]
pub(super) struct RepositoryArgs {
    /// Your clone of the state repository, or the bare repository itself.
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
}

impl RepositoryArgs {
    /// What is committed on `main`.
    pub(super) fn load(&self) -> Result<(RepositoryFiles, Model), anyhow::Error> {
        let files = list_revision(&self.repo, BRANCH)?;
        let (model, _) = load_model(&files, &mut ModelCache::default());
        Ok((files, model))
    }

    /// The bytes of a file that is committed on `main`; none when there is none.
    pub(super) fn read_bytes(&self, path: &str) -> Result<Option<Vec<u8>>, anyhow::Error> {
        let repository = open_repository(&self.repo)?;
        let tip = read_tip(&repository, &format!("refs/heads/{BRANCH}"))?;
        let tip = tip.with_context(|| format!("{} has no branch {BRANCH}", self.repo.display()))?;
        read_file(&repository, tip, path)
    }
}

/// A clone whose branch is not behind its remote's.
pub(super) struct StateClone {
    repository: Repository,
    /// What is committed to.
    branch: String,
    tip: Oid,
    author: CommitAuthor,
    signer: OperatorSigner,
    /// Where to push to; none for the repository itself.
    remote: Option<RemoteUrl>,
    push: bool,
}

/// The file of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostFile {
    /// Its path in the repository.
    pub(super) path: String,
    /// Its environment.
    pub(super) environment: String,
    /// The host's id: the file's stem.
    pub(super) id: String,
}

pub(super) const BRANCH: &str = "main";

impl CommitArgs {
    /// Opens the clone at the branch that is to be committed to, and looks whether it is current.
    pub(super) fn open(&self) -> Result<StateClone, anyhow::Error> {
        let repository = open_repository(&self.operator.repo)?;
        let branch = choose_branch(self.branch.as_deref(), checked_out(&repository).as_deref())?;
        self.operator.open_branch(repository, branch)
    }
}

impl OperatorArgs {
    /// Opens the clone at `main`, whatever is checked out, and looks whether it is current.
    pub(super) fn open_main(&self) -> Result<StateClone, anyhow::Error> {
        self.open_branch(open_repository(&self.repo)?, BRANCH.to_owned())
    }

    fn open_branch(&self, repository: Repository, branch: String) -> Result<StateClone, anyhow::Error> {
        let (name, email) = match (load_operator(&self.repo)?, &self.email) {
            (Some((name, _)), Some(email)) => (name, email.clone()),
            (Some(operator), None) => operator,
            (None, Some(email)) => (email.clone(), email.clone()),
            (None, None) => bail!("who are you? Set git's user.name and user.email, or use --email"),
        };
        let signer = match &self.signing_key {
            Some(key) => Some(OperatorSigner::Ssh(SshKeygenSigner { key: key.clone() })),
            None => load_signer(&self.repo)?,
        };
        let signer = signer.context("which key signs? Set git's user.signingKey, or use --signing-key")?;
        let remote = find_remote(&repository)?;
        let tip = read_tip(&repository, &format!("refs/heads/{branch}"))?
            .with_context(|| format!("{} has no branch {branch}", self.repo.display()))?;
        if let Some(remote) = remote.as_ref().filter(|_| !self.no_push) {
            check_current(&repository, remote, &branch, tip)?;
        }
        let author = CommitAuthor { name, email, time: clock::now() };
        Ok(StateClone { repository, branch, tip, author, signer, remote, push: !self.no_push })
    }
}

impl StateClone {
    /// The text of the file at `path`; none when there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<String>, anyhow::Error> {
        let bytes = self.read_bytes(path)?;
        bytes.map(|bytes| String::from_utf8(bytes).with_context(|| format!("{path} is no text"))).transpose()
    }

    /// The bytes of the file at `path`; none when there is none.
    pub(super) fn read_bytes(&self, path: &str) -> Result<Option<Vec<u8>>, anyhow::Error> {
        read_file(&self.repository, self.tip, path)
    }

    /// The ciphertexts of its history.
    pub(super) fn secret_history(&self) -> Result<SecretHistory, GitError> {
        SecretHistory::load(&self.repository, self.tip)
    }

    /// The state repository as it is committed.
    pub(super) fn model(&self) -> Result<Model, anyhow::Error> {
        let files = list_revision(self.repository.path(), &self.tip.to_string())?;
        Ok(load_model(&files, &mut ModelCache::default()).0)
    }

    /// Checks by the clone's own history that a token made a machine a host.
    pub(super) fn verify_binding(&self, binding: &Binding) -> Result<(), anyhow::Error> {
        let fleet = fleet_at(&self.repository, self.tip)?;
        Ok(verify_binding_below(&self.repository, self.tip, &fleet, binding)?)
    }

    /// The state repository as it is with these texts instead.
    pub(super) fn model_with(&self, edits: &BTreeMap<String, Option<Vec<u8>>>) -> Result<Model, anyhow::Error> {
        let files = list_revision(self.repository.path(), &self.tip.to_string())?;
        Ok(load_model(&files.with(edits), &mut ModelCache::default()).0)
    }

    /// The environments.
    pub(super) fn environments(&self) -> Result<Vec<String>, anyhow::Error> {
        folder_names(&self.repository, &self.tree()?, "environments", ObjectType::Tree)
    }

    /// The files of all hosts.
    pub(super) fn host_files(&self) -> Result<Vec<HostFile>, anyhow::Error> {
        let tree = self.tree()?;
        let mut files = Vec::new();
        for environment in self.environments()? {
            let folder = format!("environments/{environment}/hosts");
            for name in folder_names(&self.repository, &tree, &folder, ObjectType::Blob)? {
                if let Some(id) = name.strip_suffix(".yaml") {
                    let path = format!("{folder}/{name}");
                    files.push(HostFile { path, environment: environment.clone(), id: id.to_owned() });
                }
            }
        }
        Ok(files)
    }

    /// The file of a host, which has to be there.
    pub(super) fn host_file(&self, id: &HostId) -> Result<HostFile, anyhow::Error> {
        let file = self.host_files()?.into_iter().find(|file| file.id == id.as_str());
        file.with_context(|| format!("there is no host '{id}' in the state repository"))
    }

    /// Makes a signed commit on the branch.
    pub(super) fn commit(
        &self,
        edits: &BTreeMap<String, Option<Vec<u8>>>,
        message: &str,
    ) -> Result<Oid, anyhow::Error> {
        let StateClone { repository, branch, tip, author, signer, .. } = self;
        Ok(commit_signed(repository, branch, Some(*tip), edits, message, author, signer)?)
    }

    /// The clone, and the newest commit of its branch.
    pub(super) fn main(&self) -> (&Repository, Oid) {
        (&self.repository, self.tip)
    }

    /// Fetches every branch, and the approvals of changes.
    pub(super) fn fetch(&self) -> Result<(), anyhow::Error> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let approvals = format!("+{APPROVAL_REFERENCES}*:{APPROVAL_REFERENCES}*");
        let refspecs = ["+refs/heads/*:refs/remotes/origin/*", &approvals];
        Ok(block_on(fetch_remote(self.repository.path(), remote, &refspecs))??)
    }

    /// Makes a signed merge of `change` into the branch, to which nothing points yet.
    pub(super) fn merge(&self, change: Oid, message: &str) -> Result<Oid, GitError> {
        store_merge(&self.repository, self.tip, change, message, &self.author, &self.signer)
    }

    /// Moves the branch to a commit made on top of it.
    pub(super) fn advance(&self, to: Oid, message: &str) -> Result<(), GitError> {
        advance_branch(&self.repository, &self.branch, self.tip, to, message)
    }

    /// Pushes the branch, where it is to be pushed, and says where it is not the watched one.
    pub(super) fn push(&self) -> Result<(), anyhow::Error> {
        let branch = &self.branch;
        if let (Some(remote), true) = (&self.remote, self.push) {
            // ssh may ask for something, so nothing moves meanwhile.
            progress::announce("pushing");
            let refspec = format!("refs/heads/{branch}:refs/heads/{branch}");
            let pushed = block_on(push_refs(self.repository.path(), remote, &[&refspec], &[]))?;
            pushed.with_context(|| format!("the commit is made and not pushed; try: git push origin {branch}"))?;
        }
        if branch != BRANCH {
            say!("That is on the branch {branch}, and counts when it is merged into {BRANCH}.");
        }
        Ok(())
    }

    fn tree(&self) -> Result<Tree<'_>, anyhow::Error> {
        tree_of(&self.repository, self.tip)
    }
}

fn tree_of(repository: &Repository, tip: Oid) -> Result<Tree<'_>, anyhow::Error> {
    let commit = repository.find_commit(tip).context("the newest commit")?;
    commit.tree().context("the newest commit's files")
}

fn read_file(repository: &Repository, tip: Oid, path: &str) -> Result<Option<Vec<u8>>, anyhow::Error> {
    let Ok(entry) = tree_of(repository, tip)?.get_path(Path::new(path)) else { return Ok(None) };
    let blob = repository.find_blob(entry.id()).with_context(|| path.to_owned())?;
    Ok(Some(blob.content().to_vec()))
}

/// The names of one kind in a folder; nothing where the folder is missing.
fn folder_names(
    repository: &Repository,
    tree: &Tree<'_>,
    folder: &str,
    kind: ObjectType,
) -> Result<Vec<String>, anyhow::Error> {
    let Ok(entry) = tree.get_path(Path::new(folder)) else { return Ok(Vec::new()) };
    let folder = repository.find_tree(entry.id()).with_context(|| format!("{folder} is no folder"))?;
    let names = folder.iter().filter(|entry| entry.kind() == Some(kind));
    Ok(names.filter_map(|entry| entry.name().ok().map(str::to_owned)).collect())
}

/// The fleet that muster.yaml of a commit names.
pub(super) fn fleet_at(repository: &Repository, commit: Oid) -> Result<FleetName, anyhow::Error> {
    let tree = repository.find_commit(commit).and_then(|commit| commit.tree()).context("the commit's files")?;
    let entry = tree.get_path(Path::new("muster.yaml")).with_context(|| format!("muster.yaml at {commit}"))?;
    let blob = repository.find_blob(entry.id()).context("muster.yaml is no file")?;
    let root = load_yaml(&"muster.yaml".into(), blob.content())
        .map_err(|found| anyhow!("{}", found.first().map(ToString::to_string).unwrap_or_default()))?;
    let name = root.get("fleet").and_then(Node::as_str).context("muster.yaml names no fleet")?;
    Ok(name.parse()?)
}

/// The newest commit that the orchestrator has verified, by the newest commit of the status branch here that `key`
/// signed; none where there is no such commit. Whoever can push could name another one.
pub(super) fn find_anchor(repository: &Repository, key: &PublicKey) -> Result<Option<Oid>, anyhow::Error> {
    let Some(status) = load_status_tree(repository.path(), key)? else { return Ok(None) };
    let Some(bytes) = status.files.get("assignments.yaml") else { return Ok(None) };
    let root = load_yaml(&"assignments.yaml".into(), bytes)
        .map_err(|found| anyhow!("{}", found.first().map(ToString::to_string).unwrap_or_default()))?;
    Ok(root.get("anchor").and_then(Node::as_str).and_then(|id| id.parse().ok()))
}

/// The remote `origin`; none in a bare repository, which is where others push to.
pub(super) fn find_remote(repository: &Repository) -> Result<Option<RemoteUrl>, anyhow::Error> {
    if repository.is_bare() {
        return Ok(None);
    }
    let Ok(remote) = repository.find_remote("origin") else { return Ok(None) };
    let url = remote.pushurl().ok().flatten().or(remote.url().ok()).unwrap_or_default().to_owned();
    // A path is relative to the work tree, as for git.
    let local = repository.workdir().unwrap_or(repository.path()).join(&url);
    let url = match std::fs::canonicalize(&local) {
        Ok(path) => format!("file://{}", path.display()),
        Err(_) => url,
    };
    Ok(Some(url.parse().context("the remote 'origin' cannot be used; commit with --no-push and push yourself")?))
}

/// The address of a repository: an URL, or a folder of this machine.
pub(super) fn parse_remote(repo: &str) -> Result<RemoteUrl, anyhow::Error> {
    if repo.contains("://") {
        return Ok(repo.parse()?);
    }
    let path = std::path::absolute(Path::new(repo))?;
    format!("file://{}", path.display()).parse().with_context(|| format!("the repository {repo}"))
}

/// The branch that is checked out; none in a bare repository, or where a commit is.
fn checked_out(repository: &Repository) -> Option<String> {
    let head = repository.find_reference("HEAD").ok().filter(|_| !repository.is_bare())?;
    let target = head.symbolic_target().ok().flatten()?;
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

/// The branch to commit to. Who works on another one is asked: `main` changes the fleet, and it may not be meant.
fn choose_branch(named: Option<&str>, checked_out: Option<&str>) -> Result<String, anyhow::Error> {
    match (named, checked_out) {
        (Some(branch), _) => {
            ensure!(Reference::is_valid_name(&format!("refs/heads/{branch}")), "'{branch}' is no name of a branch");
            Ok(branch.to_owned())
        }
        (None, Some(other)) if other != BRANCH => bail!(
            "your clone is on the branch {other}; say --branch {other} to commit to it for a pull request, \
             or --branch {BRANCH} to change the fleet"
        ),
        (None, _) => Ok(BRANCH.to_owned()),
    }
}

/// Fetches the remote's branch and refuses a clone that lacks some of it. The watched branch has to be at the same
/// commit; another may have more, or be new.
fn check_current(repository: &Repository, remote: &RemoteUrl, branch: &str, tip: Oid) -> Result<(), anyhow::Error> {
    let is_watched = branch == BRANCH;
    let tracking = format!("refs/remotes/origin/{branch}");
    // A branch that the remote may lack is not asked for by name: that would be a fault.
    let asked = if is_watched { branch } else { "*" };
    let refspec = format!("+refs/heads/{asked}:refs/remotes/origin/{asked}");
    block_on(fetch_remote(repository.path(), remote, &[&refspec]))??;
    let theirs = match read_tip(repository, &tracking)? {
        Some(theirs) => theirs,
        None if is_watched => bail!("{remote} has no branch {branch}"),
        None => return Ok(()),
    };
    let current = theirs == tip || repository.graph_descendant_of(tip, theirs).context("the clone's history")?;
    ensure!(current, "{remote} has commits that your clone lacks; try: git pull");
    if is_watched && theirs != tip {
        bail!("your clone has commits that {remote} lacks; push or drop them first, so that only this change goes out");
    }
    Ok(())
}

pub(super) fn block_on<F: Future>(future: F) -> Result<F::Output, anyhow::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    Ok(runtime.block_on(future))
}
