//! Notices that the watched branch moved.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use git2::{Oid, Repository};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::error::GitError;
use super::program::fetch_remote;
use super::remote_url::RemoteUrl;
use super::repository::{init_bare_repository, open_repository, read_tip};
use crate::verify::APPROVAL_REFERENCES;

/// How often a local repository is looked at even without an event.
const LOCAL_POLL: Duration = Duration::from_secs(10);

/// Where the state repository is.
#[derive(Debug, Clone)]
pub enum StateSource {
    /// On this machine: read in place, watched by inotify.
    Local {
        /// The repository, usually bare.
        path: PathBuf,
    },
    /// Elsewhere: polled, and fetched into a mirror of our own.
    Remote {
        /// Where it is.
        url: RemoteUrl,
        /// The mirror; made when it is absent.
        mirror: PathBuf,
        /// Time between two polls.
        poll: Duration,
    },
}

/// A watched branch.
pub struct BranchWatch {
    source: StateSource,
    reference: String,
    repo: Repository,
    /// Which approvals there were at the last look.
    approvals: Option<u64>,
    /// Says "look again": set by inotify and by whoever holds the hint.
    look: Arc<Notify>,
    /// Ends the watch when dropped.
    _watcher: Option<RecommendedWatcher>,
    next_look: Instant,
}

impl BranchWatch {
    /// Starts to watch `branch`. Notifying `hint` makes it look at once, as a
    /// webhook does; a hint is never needed.
    ///
    /// # Errors
    /// When the local repository cannot be opened or watched, or the mirror
    /// cannot be made. A remote that does not answer is no error here.
    pub fn open(source: StateSource, branch: &str, hint: Arc<Notify>) -> Result<Self, GitError> {
        let (repo, watcher) = match &source {
            StateSource::Local { path } => {
                let repo = open_repository(path)?;
                let watcher = watch_references(repo.commondir(), Arc::clone(&hint))?;
                (repo, Some(watcher))
            }
            StateSource::Remote { mirror, .. } => (init_bare_repository(mirror)?, None),
        };
        let reference = format!("refs/heads/{branch}");
        Ok(Self { source, reference, repo, approvals: None, look: hint, _watcher: watcher, next_look: Instant::now() })
    }

    /// The repository that holds the objects: the local one, or the mirror.
    pub fn repository_path(&self) -> &Path {
        self.repo.path()
    }
}

/// Waits until the branch is elsewhere than at `last`, or approvals of changes
/// are others, and returns where it is. A
/// branch that does not exist counts as unchanged.
///
/// `last` is the tip that was last looked at, refused or not: a refused tip
/// that stays there is returned again only when approvals came or went. A call that is cancelled loses at
/// most a hint.
///
/// # Errors
/// When the repository cannot be read, or the remote not be fetched. The next
/// call waits for the next poll before it tries again.
pub async fn wait_for_change(watch: &mut BranchWatch, last: Option<Oid>) -> Result<Oid, GitError> {
    loop {
        if let StateSource::Remote { .. } = watch.source {
            wait_for_look(watch).await;
        }
        let tip = look_at_branch(watch).await?;
        let approvals = mark_of_approvals(&watch.repo)?;
        let approved = watch.approvals.replace(approvals).is_some_and(|before| before != approvals);
        match tip {
            Some(tip) if approved || Some(tip) != last => return Ok(tip),
            _ => {}
        }
        if let StateSource::Local { .. } = watch.source {
            wait_for_look(watch).await;
        }
    }
}

/// Waits for a hint, or for the next poll.
async fn wait_for_look(watch: &BranchWatch) {
    tokio::select! {
        () = watch.look.notified() => {}
        () = sleep_until(watch.next_look) => {}
    }
}

async fn look_at_branch(watch: &mut BranchWatch) -> Result<Option<Oid>, GitError> {
    match &watch.source {
        StateSource::Local { .. } => watch.next_look = Instant::now() + LOCAL_POLL,
        StateSource::Remote { url, mirror, poll } => {
            watch.next_look = Instant::now() + *poll;
            let branch = format!("+{0}:{0}", watch.reference);
            let approvals = format!("+{APPROVAL_REFERENCES}*:{APPROVAL_REFERENCES}*");
            match fetch_remote(mirror, url, &[&branch, &approvals]).await {
                // Whatever somebody put among the approvals: the branch goes on.
                Err(error @ GitError::Failed { .. }) => {
                    fetch_remote(mirror, url, &[&branch]).await?;
                    tracing::warn!(error = &error as &dyn std::error::Error, "approvals cannot be fetched");
                }
                fetched => fetched?,
            }
        }
    }
    read_tip(&watch.repo, &watch.reference)
}

/// Tells one set of approvals from another.
fn mark_of_approvals(repo: &Repository) -> Result<u64, GitError> {
    let failed = || GitError::read("the approvals");
    let mut hasher = DefaultHasher::new();
    for reference in repo.references_glob(&format!("{APPROVAL_REFERENCES}*")).map_err(failed())? {
        let reference = reference.map_err(failed())?;
        (reference.name_bytes(), reference.target()).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Watches folders, not files: git replaces a reference by renaming.
fn watch_references(git_dir: &Path, look: Arc<Notify>) -> Result<RecommendedWatcher, GitError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| GitError::Watch { path, source }
    };
    let handler = move |event: notify::Result<notify::Event>| {
        // Our own reading makes access events, which must not wake us again.
        // An error (a full queue) is a reason to look.
        if !matches!(&event, Ok(event) if matches!(event.kind, EventKind::Access(_)) && !event.need_rescan()) {
            look.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(handler).map_err(failed(git_dir))?;
    // packed-refs lies in the folder itself, loose references below refs/: branches, and approvals.
    let refs = git_dir.join("refs");
    watcher.watch(git_dir, RecursiveMode::NonRecursive).map_err(failed(git_dir))?;
    watcher.watch(&refs, RecursiveMode::Recursive).map_err(failed(&refs))?;
    Ok(watcher)
}
