//! Committing status: what changed is rendered here, and written by a task of
//! its own, so that a slow remote holds nothing up.

use std::collections::BTreeMap;
use std::time::Duration;

use git2::Oid;
use muster_schema::condition::ConditionStatus;
use muster_schema::{HostId, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{CycleError, Orchestrator};
use crate::audit::{CHECKPOINT_PATH, Checkpoint};
use crate::io::clock;
use crate::io::git::{GitError, StatusBranch};
use crate::status::{ChangedHosts, CommitPace, StatusFiles, fold_conditions, render_status};

/// A push that failed is tried again after so long.
const PUSH_RETRY: Duration = Duration::from_secs(30);

/// Small packs of status commits are united so often.
const TIDY: Duration = Duration::from_secs(5 * 60);

/// What is to be committed.
struct Job {
    files: StatusFiles,
    hosts: ChangedHosts,
    /// How much of the inbox the files hold the effects of.
    inbox: u64,
    /// The facts in them that no commit had before, by their messages' numbers.
    facts: BTreeMap<HostId, u64>,
    now: Timestamp,
}

/// What became of a job, or of a push.
pub(super) enum Saved {
    /// Committed; the inbox's first bytes may go, and these facts are in it.
    Committed {
        /// The newest status commit.
        tip: Option<Oid>,
        inbox: u64,
        facts: BTreeMap<HostId, u64>,
    },
    /// Not committed: the hosts' changes are still to be.
    Failed(ChangedHosts, GitError),
    /// The remote has it.
    Pushed,
    /// The remote does not take it.
    NotPushed(GitError),
}

/// The writer's end that the cycle holds.
pub(super) struct StatusWriter {
    jobs: mpsc::Sender<Job>,
    pub(super) saved: mpsc::Receiver<Saved>,
    busy: bool,
    pace: CommitPace,
    /// How far the audit log went at the last commit.
    checkpoint: Option<Checkpoint>,
    /// Something changed that is of no host.
    fleet_changed: bool,
    /// The first commit after a start writes every host.
    all: bool,
}

impl StatusWriter {
    /// Starts the writer on a thread of its own.
    pub(super) fn start(branch: StatusBranch) -> Self {
        let (jobs, queue) = mpsc::channel(1);
        let (tell, saved) = mpsc::channel(16);
        std::thread::spawn(move || write_jobs(branch, queue, &tell));
        let pace = CommitPace::default();
        StatusWriter { jobs, saved, busy: false, pace, checkpoint: None, fleet_changed: true, all: true }
    }
}

/// The writer's thread: ends when the cycle does.
fn write_jobs(mut branch: StatusBranch, mut queue: mpsc::Receiver<Job>, tell: &mpsc::Sender<Saved>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        tracing::error!("status cannot be committed: no runtime");
        return;
    };
    runtime.block_on(async {
        let mut unpushed = false;
        let mut last_tidied = Instant::now();
        loop {
            let job = tokio::select! {
                job = queue.recv() => match job {
                    Some(job) => Some(job),
                    None => return,
                },
                () = tokio::time::sleep(PUSH_RETRY), if unpushed => None,
            };
            if let Some(job) = job {
                let saved = match branch.commit(&job.files, "status: Update", job.now) {
                    Ok(_) => Saved::Committed { tip: branch.tip(), inbox: job.inbox, facts: job.facts },
                    Err(error) => Saved::Failed(job.hosts, error),
                };
                let _ = tell.send(saved).await;
            }
            let pushed = branch.push(clock::now()).await;
            unpushed = pushed.is_err();
            if last_tidied.elapsed() > TIDY {
                last_tidied = Instant::now();
                if let Err(error) = branch.unite_packs().await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "status packs cannot be united");
                }
            }
            let _ = tell.send(pushed.map_or_else(Saved::NotPushed, |()| Saved::Pushed)).await;
        }
    });
}

impl Orchestrator {
    /// When the next status commit is due, if there is something to commit.
    pub(super) fn status_due(&self) -> Option<Instant> {
        let writer = &self.writer;
        let changed = writer.fleet_changed || writer.all || !self.unsaved.is_empty();
        let wait = if changed {
            writer.pace.wait(clock::now())
        } else if self.audit.checkpoint() != writer.checkpoint {
            writer.pace.wait_for_audit(clock::now())
        } else {
            return None;
        };
        (!writer.busy).then(|| Instant::now() + wait)
    }

    /// Something changed that is of no host: conditions, findings, enrolment.
    pub(super) fn note_fleet_changed(&mut self) {
        self.writer.fleet_changed = true;
    }

    /// Gives what changed to the writer.
    ///
    /// # Errors
    /// When it cannot be rendered, or the inbox not be asked; nothing is lost.
    pub(super) fn save_status(&mut self) -> Result<(), CycleError> {
        let now = clock::now();
        self.fold_conditions();
        let hosts = if self.writer.all { ChangedHosts::All } else { ChangedHosts::Some(self.unsaved.clone()) };
        let mut files = render_status(&self.state.fleet(), &hosts, now)?;
        let checkpoint = self.audit.checkpoint();
        if let Some(checkpoint) = &checkpoint {
            files.files.insert(CHECKPOINT_PATH.to_owned(), Some(checkpoint.to_file()?));
        }
        let job = Job { files, hosts, inbox: self.inbox.size()?, facts: self.committed_facts.newer(), now };
        if self.writer.jobs.try_send(job).is_ok() {
            self.writer.busy = true;
            self.writer.checkpoint = checkpoint;
            self.writer.fleet_changed = false;
            self.writer.all = false;
            self.writer.pace.committed(now);
            self.unsaved.clear();
            self.bindings_committing();
        }
        Ok(())
    }

    /// Takes over what the writer says.
    ///
    /// # Errors
    /// When the inbox cannot be shortened, or the archive not be written.
    pub(super) fn take_saved(&mut self, saved: Saved) -> Result<(), CycleError> {
        match saved {
            Saved::Committed { tip, inbox, facts } => {
                self.writer.busy = false;
                self.bindings_committed(true);
                self.committed_facts.committed(tip, &facts);
                self.shorten_inbox(inbox)?;
            }
            Saved::Failed(hosts, error) => {
                self.writer.busy = false;
                self.bindings_committed(false);
                tracing::error!(error = &error as &dyn std::error::Error, "status cannot be committed");
                match hosts {
                    ChangedHosts::All => self.writer.all = true,
                    ChangedHosts::Some(hosts) => self.unsaved.extend(hosts),
                }
                self.writer.fleet_changed = true;
            }
            Saved::Pushed => {
                self.bindings_pushed();
                self.state_push(ConditionStatus::True, "Pushed", "");
            }
            Saved::NotPushed(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "status cannot be pushed");
                self.state_push(ConditionStatus::False, "StatusPushFailed", &error.to_string());
            }
        }
        Ok(())
    }

    fn state_push(&mut self, status: ConditionStatus, reason: &str, message: &str) {
        let before = self.state.fleet().conditions.clone();
        let Some(anchor) = self.assignments().anchor else { return };
        self.state_condition("StatusPushed", status, reason, message, &anchor);
        let changed = {
            let fleet = self.state.fleet();
            let of = |conditions: &[muster_schema::condition::Condition]| {
                conditions.iter().find(|held| held.r#type == "StatusPushed").map(|held| held.status)
            };
            of(&before) != of(&fleet.conditions)
        };
        self.writer.fleet_changed |= changed && status == ConditionStatus::False;
    }

    /// Notices what no message tells, such as that a host is lost.
    pub(super) fn fold_conditions(&mut self) {
        let changed = fold_conditions(&mut self.state.fleet_mut(), clock::now());
        self.unsaved.extend(changed);
    }

    /// Waits for the writer to finish what it has, then gives it the rest.
    pub(super) async fn save_last_status(&mut self) {
        for _ in 0..2 {
            while self.writer.busy {
                let Some(saved) = self.writer.saved.recv().await else { return };
                if self.take_saved(saved).is_err() {
                    return;
                }
            }
            if self.status_due().is_none() || self.save_status().is_err() {
                return;
            }
        }
    }
}
