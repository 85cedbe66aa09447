//! The demo's state repository: the examples, with the demo's own signer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use git2::{Oid, Repository};
use include_dir::{Dir, DirEntry, include_dir};
use muster_schema::CommitId;
use ssh_key::PrivateKey;

use crate::io::clock;
use crate::io::git::{CommitAuthor, RemoteUrl, commit_signed, init_bare_repository, push_refs, read_tip};
use crate::keys;

static EXAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples-repo");

/// A bare state repository, and the clone in which a person works.
pub(super) struct StateRepository {
    pub(super) bare: PathBuf,
    work: Repository,
    key: PrivateKey,
    runtime: tokio::runtime::Runtime,
}

/// Paths and their new contents; `None` removes.
pub(super) type Edits = BTreeMap<String, Option<Vec<u8>>>;

impl StateRepository {
    /// Makes both, with a first signed commit of the examples, pushed.
    pub(super) fn create(bare: &Path, work: &Path, keys: &Path) -> Result<Self, anyhow::Error> {
        let key = keys::generate_ssh(&keys.join("committer"), "demo committer")?;
        init_bare_repository(bare)?;
        let mut options = git2::RepositoryInitOptions::new();
        let work = Repository::init_opts(work, options.initial_head("main")).context("the clone to work in")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let repository = StateRepository { bare: bare.to_owned(), work, key, runtime };
        let mut edits = Edits::new();
        collect(&EXAMPLES, &mut edits);
        let signer = format!(
            "demo@example.org namespaces=\"git,muster-approval\" {}\n",
            repository.key.public_key().to_openssh()?
        );
        edits.insert("policy/allowed_signers".into(), Some(signer.into_bytes()));
        let access = "rules:\n  - who: [\"demo@example.org\"]\n    may: [all]\n";
        edits.insert("policy/access.yaml".into(), Some(access.into()));
        repository.commit_and_push("fleet: Start from the examples", &edits)?;
        Ok(repository)
    }

    /// The tip of main.
    pub(super) fn tip(&self) -> Result<Oid, anyhow::Error> {
        read_tip(&self.work, "refs/heads/main")?.context("the repository has no branch main")
    }

    /// The tip of main, as muster names revisions.
    pub(super) fn revision(&self) -> Result<CommitId, anyhow::Error> {
        Ok(self.tip()?.to_string().parse()?)
    }

    /// A file at the tip.
    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, anyhow::Error> {
        let tree = self.work.find_commit(self.tip()?)?.tree()?;
        let entry = tree.get_path(Path::new(path)).with_context(|| format!("{path} in the state repository"))?;
        Ok(self.work.find_blob(entry.id())?.content().to_vec())
    }

    /// Commits with a signature, and pushes with the installed git.
    pub(super) fn commit_and_push(&self, message: &str, edits: &Edits) -> Result<(), anyhow::Error> {
        let parent = read_tip(&self.work, "refs/heads/main")?;
        let author = CommitAuthor { name: "Demo".into(), email: "demo@example.org".into(), time: clock::now() };
        commit_signed(&self.work, "main", parent, edits, message, &author, &self.key)?;
        let url: RemoteUrl = format!("file://{}", self.bare.display()).parse()?;
        let refs = ["refs/heads/main:refs/heads/main"];
        self.runtime.block_on(push_refs(self.work.path(), &url, &refs, &[]))?;
        Ok(())
    }

    /// Commits the inverse of the newest commit, as `git revert` does.
    pub(super) fn revert_and_push(&self) -> Result<(), anyhow::Error> {
        let newest = self.work.find_commit(self.tip()?)?;
        let parent = newest.parent(0)?;
        let diff = self.work.diff_tree_to_tree(Some(&newest.tree()?), Some(&parent.tree()?), None)?;
        let mut edits = Edits::new();
        for delta in diff.deltas() {
            let path = delta.old_file().path().or(delta.new_file().path()).context("a path")?;
            let back = delta.new_file().id();
            let content = if back.is_zero() { None } else { Some(self.work.find_blob(back)?.content().to_vec()) };
            edits.insert(path.display().to_string(), content);
        }
        let subject = newest.summary().ok().flatten().unwrap_or_default();
        let message = format!("Revert \"{subject}\"\n\nThis reverts commit {}.\n", newest.id());
        self.commit_and_push(&message, &edits)
    }
}

fn collect(folder: &Dir<'_>, edits: &mut Edits) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => collect(folder, edits),
            DirEntry::File(file) => {
                edits.insert(file.path().display().to_string(), Some(file.contents().to_vec()));
            }
        }
    }
}
