//! What is still to be told to the orchestrator: transitions and refusals, in order, until a receipt came.

use crate::checks::CheckSummary;
use crate::known::{Known, TRANSITION_PREFIX};
use crate::store::{Batch, Store, StoreError};
use crate::verify::Reject;
use muster_schema::breakglass::BreakGlassReport;
use muster_schema::report::{Applied, Rejection, Report, ResourceReport, Transition};
use muster_schema::state::{Health, ResourceState};
use muster_schema::{Collection, Timestamp};

const REJECTION_PREFIX: &str = "rejection/";
const REJECTION_SEQ_KEY: &str = "rejection-seq";
/// With so many transitions and deviations a report stays below the largest message.
const MAX_TOLD: usize = 2_000;
/// Who floods us with refusals shall not fill the disk.
const MAX_REJECTIONS: usize = 100;

/// Adds a refusal.
///
/// # Errors
/// When the store refuses.
pub fn commit_rejection(store: &Store, reject: &Reject, at: Timestamp) -> Result<(), StoreError> {
    let kept = store.scan::<Rejection>(REJECTION_PREFIX)?;
    let repeated = kept.last().is_some_and(|(_, last)| last.code == reject.code.as_str());
    if repeated || kept.len() >= MAX_REJECTIONS {
        return Ok(());
    }
    let seq: u64 = store.load(REJECTION_SEQ_KEY)?.unwrap_or(0) + 1;
    let mut batch = Batch::new();
    batch.put(format!("{REJECTION_PREFIX}{seq:020}"), &reject.to_rejection(at))?;
    batch.put(REJECTION_SEQ_KEY, &seq)?;
    store.commit(batch)
}

/// What a report tells once and not again.
#[derive(Debug, Default)]
pub struct News {
    transitions: Vec<Transition>,
    rejections: Vec<Rejection>,
    keys: Vec<String>,
    /// Whether there is more than one report takes.
    pub more: bool,
}

impl News {
    /// The oldest of what was not told yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(store: &Store) -> Result<News, StoreError> {
        let mut news = News::default();
        for (key, transitions) in store.scan::<Vec<Transition>>(TRANSITION_PREFIX)? {
            news.more = news.transitions.len() + transitions.len() > MAX_TOLD;
            if news.more {
                break;
            }
            news.keys.push(key);
            news.transitions.extend(transitions);
        }
        for (key, rejection) in store.scan::<Rejection>(REJECTION_PREFIX)? {
            news.keys.push(key);
            news.rejections.push(rejection);
        }
        Ok(news)
    }

    /// Whether there is nothing new.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A report of the host with this news.
    pub fn into_report(self, mut host: Report) -> (Report, Vec<String>) {
        host.transitions = self.transitions;
        host.rejections = self.rejections;
        (host, self.keys)
    }
}

/// Forgets what a receipt was given for.
///
/// # Errors
/// When the store refuses; then it is told once more, and the orchestrator knows it by its number.
pub fn forget(store: &Store, keys: Vec<String>) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new();
    for key in keys {
        batch.remove(key);
    }
    store.commit(batch)
}

/// What a report says beside the states of the resources.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// What is applied.
    pub applied: Option<Applied>,
    /// The host has left the repository.
    pub retired: bool,
    /// Break-glass keys signed what is applied, and not the orchestrator.
    pub break_glass: Option<BreakGlassReport>,
    /// When the head ended that the host goes by, where no newer one could be had: nobody knows then whether what is
    /// in force still is what is wanted.
    pub expired: Option<Timestamp>,
    /// What is left alone because somebody else changes it again and again.
    pub flapping: Option<String>,
    /// How many places could not be watched.
    pub unwatched: usize,
    /// What the checks say.
    pub checks: CheckSummary,
}

/// The state of the host as a report without news.
pub fn build_report(known: &Known, circumstances: Circumstances) -> Report {
    let Circumstances { applied, retired, break_glass, expired, flapping, unwatched, checks } = circumstances;
    let wrong = |state: ResourceState| !matches!(state, ResourceState::Compliant | ResourceState::Repaired);
    let deviations: Vec<ResourceReport> = known
        .states()
        .values()
        .filter(|known| wrong(known.state))
        .take(MAX_TOLD)
        .map(|known| ResourceReport {
            address: known.address.clone(),
            state: known.state,
            message: known.message.clone(),
        })
        .collect();
    let (health, reason, message) = match (judge_health(&deviations, applied.is_some(), &checks), expired) {
        ((Health::Healthy | Health::Progressing, ..), Some(end)) if !retired => {
            (Health::Unknown, "Stale", format!("the head expired at {end}; what was accepted last is kept in force"))
        }
        ((Health::Healthy, ..), None) if unwatched > 0 && !retired => (
            Health::Degraded,
            "WatchLimit",
            format!(
                "{unwatched} places cannot be watched (see fs.inotify); what lies there is looked at every few seconds"
            ),
        ),
        (judged, _) => match flapping.filter(|_| !retired) {
            Some(message) => (Health::Degraded, "Flapping", message),
            None => judged,
        },
    };
    let (health, reason, message) = match break_glass.as_ref().filter(|_| !retired) {
        Some(report) => tell_break_glass(report, (health, reason, &message)),
        None => (health, reason, message),
    };
    Report {
        applied,
        health,
        reason: reason.to_owned(),
        message,
        counts: known.counts(),
        deviations,
        exceptions: Vec::new(),
        transitions: Vec::new(),
        rejections: Vec::new(),
        retired,
        break_glass,
    }
}

/// What comes before all else that is to be said of the host; the rest is added.
fn tell_break_glass(
    report: &BreakGlassReport,
    (health, reason, message): (Health, &'static str, &str),
) -> (Health, &'static str, String) {
    let (keys, since) = (report.signer_ids(), report.since);
    let said =
        format!("by break-glass keys {keys} since {since}, not by the orchestrator; {health}/{reason}: {message}");
    (Health::Degraded, "BreakGlass", said.chars().take(900).collect())
}

fn judge_health(deviations: &[ResourceReport], applied: bool, checks: &CheckSummary) -> (Health, &'static str, String) {
    use ResourceState::{Blocked, Error, NonCompliant, Pending};
    let first = |states: &[ResourceState]| deviations.iter().find(|one| states.contains(&one.state));
    let short = |text: &str| text.chars().take(900).collect::<String>();
    let tell = |one: &ResourceReport| short(&format!("{}: {}", one.address, one.message));
    if !applied {
        return (Health::Pending, "WaitingForManifest", "no manifest yet".to_owned());
    }
    if let Some(one) = first(&[Error]) {
        return (Health::Degraded, "ResourceFailed", tell(one));
    }
    if let Some(one) = first(&[Blocked]) {
        return (Health::Degraded, "ResourceBlocked", tell(one));
    }
    let waits = |one: &&ResourceReport| one.state == Pending && one.address.collection() == Collection::Reboot;
    if let Some(one) = deviations.iter().find(waits) {
        return (Health::Pending, "RebootPending", tell(one));
    }
    if let Some(one) = first(&[Pending]) {
        return (Health::Progressing, "Applying", tell(one));
    }
    if let Some(failing) = &checks.failing {
        return (Health::Degraded, "CheckFailed", short(failing));
    }
    if let Some(address) = &checks.undecided {
        return (Health::Progressing, "Checking", format!("{address} has no answer yet"));
    }
    if let Some(warning) = &checks.warning {
        return (Health::Healthy, "CheckWarning", short(warning));
    }
    let audited = |one: &&ResourceReport| one.state == NonCompliant && one.address.collection() != Collection::Checks;
    match deviations.iter().find(audited) {
        Some(one) => (Health::Healthy, "Audited", tell(one)),
        None => (Health::Healthy, "Converged", "everything is as it is to be".to_owned()),
    }
}
