//! Carries the branch to and from a remote.

use git2::Oid;
use muster_schema::Timestamp;

use super::load::find_own_tip;
use super::{ARCHIVE, STATUS, StatusBranch, commit_time};
use crate::io::git::error::GitError;
use crate::io::git::program::{fetch_remote, push_refs};
use crate::io::git::remote_url::RemoteUrl;
use crate::io::git::repository::{open_repository, read_tip};
use crate::io::git::signed_commit::store_signed_commit;

/// Where the remote's branch is fetched to.
const FETCHED: &str = "refs/muster/fetched/status";

impl StatusBranch {
    /// Looks at the remote's branch. When it has a commit of ours that is newer
    /// than what is here (this disk is new, or was restored), that is the tip.
    ///
    /// # Errors
    /// When the remote does not answer. Local state suffices meanwhile.
    pub async fn fetch(&mut self) -> Result<(), GitError> {
        let Some(remote) = self.remote.clone() else {
            return Ok(());
        };
        self.remote_tip = self.fetch_tip(&remote).await?;
        let repo = open_repository(&self.path)?;
        let theirs = find_own_tip(&repo, self.remote_tip, self.key.public_key())?;
        let Some(theirs) = theirs.filter(|id| self.tip != Some(*id)) else {
            return Ok(());
        };
        let newer = match self.tip {
            None => true,
            Some(ours) => repo.graph_descendant_of(theirs, ours).map_err(GitError::read(STATUS))?,
        };
        if newer {
            repo.reference(STATUS, theirs, true, "status: take the remote's").map_err(GitError::write(STATUS))?;
            self.tip = Some(theirs);
        }
        Ok(())
    }

    /// Pushes the tip, and the months that were kept. Does nothing without a
    /// remote, or when the remote has the tip already.
    ///
    /// Where the remote refuses a new start of history, the tip's tree is
    /// committed on top of what the remote has, at `now`, and history goes on.
    ///
    /// # Errors
    /// When the remote does not take it: try again later.
    pub async fn push(&mut self, now: Timestamp) -> Result<(), GitError> {
        let (Some(remote), Some(tip)) = (self.remote.clone(), self.tip) else {
            return Ok(());
        };
        if self.remote_tip == Some(tip) {
            return Ok(());
        }
        if self.push_tip(&remote, tip).await.is_ok() {
            return Ok(());
        }
        // Someone else may have moved the branch: look, and overrule.
        self.remote_tip = self.fetch_tip(&remote).await?;
        let error = match self.push_tip(&remote, tip).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let Some(tip) = self.commit_without_roll(tip, now)? else {
            return Err(error);
        };
        self.push_tip(&remote, tip).await
    }

    async fn push_tip(&mut self, remote: &RemoteUrl, tip: Oid) -> Result<(), GitError> {
        let expected = self.remote_tip.map(|id| id.to_string()).unwrap_or_default();
        let branch = format!("{tip}:{STATUS}");
        let months = if self.continues_remote(tip)? { Vec::new() } else { self.list_months()? };
        let months: Vec<String> = months.iter().map(|name| format!("{name}:{name}")).collect();
        let mut refspecs = vec![branch.as_str()];
        refspecs.extend(months.iter().map(String::as_str));
        // The lease permits moving the branch backwards, while the remote is
        // where it was last seen.
        push_refs(&self.path, remote, &refspecs, &[(STATUS, &expected)]).await?;
        self.remote_tip = Some(tip);
        Ok(())
    }

    /// Whether the tip descends from what the remote has.
    fn continues_remote(&self, tip: Oid) -> Result<bool, GitError> {
        let repo = open_repository(&self.path)?;
        match self.remote_tip {
            Some(theirs) => repo.graph_descendant_of(tip, theirs).map_err(GitError::read(STATUS)),
            None => Ok(false),
        }
    }

    fn list_months(&self) -> Result<Vec<String>, GitError> {
        let repo = open_repository(&self.path)?;
        let found = repo.references_glob(&format!("{ARCHIVE}*")).map_err(GitError::read(ARCHIVE))?;
        Ok(found.filter_map(|reference| reference.ok()?.name().ok().map(str::to_owned)).collect())
    }

    /// Puts the tip's tree on top of the remote's last commit of ours, when the
    /// tip is a new start. Returns the new tip.
    fn commit_without_roll(&mut self, tip: Oid, now: Timestamp) -> Result<Option<Oid>, GitError> {
        if self.continues_remote(tip)? {
            return Ok(None);
        }
        let repo = open_repository(&self.path)?;
        let Some(theirs) = self.remote_tip else {
            return Ok(None);
        };
        let read = GitError::read("the status commit");
        let (tip_commit, parent) = match (repo.find_commit(tip), repo.find_commit(theirs)) {
            (Ok(tip), Ok(parent)) => (tip, parent),
            (Err(source), _) | (_, Err(source)) => return Err(read(source)),
        };
        let time = now.max(commit_time(&parent));
        let message = "status: Go on without a new start, which the remote refuses";
        let commit =
            store_signed_commit(&repo, tip_commit.tree_id(), &[&parent], message, &self.author(time), &self.key)?;
        repo.reference(STATUS, commit, true, message).map_err(GitError::write(STATUS))?;
        self.tip = Some(commit);
        self.roll_refused = true;
        Ok(Some(commit))
    }

    async fn fetch_tip(&self, remote: &RemoteUrl) -> Result<Option<Oid>, GitError> {
        let repo = open_repository(&self.path)?;
        if let Ok(mut old) = repo.find_reference(FETCHED) {
            old.delete().map_err(GitError::write(FETCHED))?;
        }
        // A pattern, because naming an absent branch is an error. It matches
        // branches below `status/` too, which do no harm.
        fetch_remote(&self.path, remote, &["+refs/heads/status*:refs/muster/fetched/status*"]).await?;
        read_tip(&repo, FETCHED)
    }
}
