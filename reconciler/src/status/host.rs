//! The status of one host.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use muster_schema::breakglass::BreakGlassReport;
use muster_schema::condition::Condition;
use muster_schema::document::OnRetire;
use muster_schema::fleet_api::{Axes, Desired};
use muster_schema::report::{Applied, ExceptionReport, Rejection, ResourceReport, Transition};
use muster_schema::state::{Contact, Health, ResourceState, Sync};
use muster_schema::{Collection, CommitId, PublicKey, Timestamp};
use serde::{Deserialize, Serialize};

use super::{EnrolmentProof, FactsRecord};

#[cfg(test)]
mod tests;

/// Silent for longer, a host is stale.
pub const CONTACT_STALE: Duration = Duration::from_secs(2 * 60);

/// Silent for longer, a host is lost.
pub const CONTACT_LOST: Duration = Duration::from_secs(15 * 60);

/// How many transitions of a host are kept.
pub const MAX_TRANSITIONS: usize = 50;

/// How many former keys of a host are remembered.
pub const MAX_REVOKED: usize = 16;

/// Why a host does not get the manifest of its newest revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// `Pending` for a wait, `Degraded` for a fault.
    pub health: Health,
    /// In one CamelCase word: `WaitingForFacts`, `RenderFault`.
    pub reason: String,
    /// For people.
    pub message: String,
}

/// What is known of one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostStatus {
    /// Its environment; none once it has left the repository.
    pub environment: Option<String>,
    /// Its declared labels.
    pub labels: BTreeMap<String, String>,
    /// Its key in the repository; none while it is only declared.
    pub key: Option<PublicKey>,
    /// Keys that it had before, oldest first: at most [`MAX_REVOKED`]. Nobody speaks with them any more.
    pub revoked_keys: Vec<PublicKey>,
    /// Its age recipient in the repository.
    pub recipient: Option<String>,
    /// Whether the holder of `key` answered the challenge.
    pub enrolled: bool,
    /// Its answer to the challenge, in which it names its recipient.
    pub enrolment: Option<EnrolmentProof>,
    /// Two machines were found to speak with its key; since when. It keeps what it has until somebody looked at it.
    pub copied: Option<Timestamp>,
    /// The revision that it is to have.
    pub assigned: Option<CommitId>,
    /// What `assigned` says of it is not published yet: `desired` is of an older revision.
    pub publishing: bool,
    /// What is published for it.
    pub desired: Option<Desired>,
    /// Why it is held, if it is.
    pub hold: Option<Hold>,
    /// What it said to have applied.
    pub applied: Option<Applied>,
    /// What it applied came from people with break-glass keys, as it says.
    pub break_glass: Option<BreakGlassReport>,
    /// How it said to fare, why in one word, and why for people.
    pub reported: Option<(Health, String, String)>,
    /// What is stated of it: `Synced`, `Healthy`, `Reachable`.
    pub conditions: Vec<Condition>,
    /// How many of its resources are in each state.
    pub counts: BTreeMap<ResourceState, u32>,
    /// Its resources that are not as they should be.
    pub deviations: Vec<ResourceReport>,
    /// What holds there for a limited time.
    pub exceptions: Vec<ExceptionReport>,
    /// Its last changes, oldest first; at most [`MAX_TRANSITIONS`].
    pub transitions: VecDeque<Transition>,
    /// What it last refused, oldest first.
    pub rejections: VecDeque<Rejection>,
    /// Its facts.
    pub facts: Option<FactsRecord>,
    /// The seq of the last report that was folded. Facts have their own line:
    /// they do not wait in the outbox behind reports.
    pub report_seq: u64,
    /// The seq of the last facts that were folded.
    pub facts_seq: u64,
    /// When it was last heard of; kept in memory only.
    pub last_contact: Option<Timestamp>,
    /// What is to become of it when it leaves, as it was last declared.
    pub on_retire: OnRetire,
    /// It has left the repository, and puts back what it found before it is retired.
    pub reverting: bool,
    /// It has left the repository; when that was published.
    pub retired: Option<Timestamp>,
    /// It reported that it stopped enforcing.
    pub retirement_done: bool,
}

impl HostStatus {
    /// Gives it another key, or none. Gives the key that it had, which counts no more, if it was another.
    pub fn set_key(&mut self, key: Option<PublicKey>) -> Option<PublicKey> {
        let former = self.key.filter(|former| Some(*former) != key);
        if self.key != key {
            (self.enrolled, self.enrolment, self.copied) = (false, None, None);
        }
        self.revoked_keys.extend(former);
        self.revoked_keys.retain(|revoked| Some(*revoked) != key);
        let surplus = self.revoked_keys.len().saturating_sub(MAX_REVOKED);
        self.revoked_keys.drain(..surplus);
        self.key = key;
        former
    }

    /// The serial that the host reported, as far as it counts in `epoch`.
    pub fn reported_serial(&self, epoch: u64) -> u64 {
        self.applied.as_ref().filter(|applied| applied.epoch == epoch).map_or(0, |applied| applied.serial)
    }

    /// Whether a break-glass manifest is in force there that is newer than what is published for it.
    pub fn is_overtaken(&self) -> bool {
        let (Some(_), Some(applied), Some(desired)) = (&self.break_glass, &self.applied, &self.desired) else {
            return false;
        };
        applied.epoch == desired.epoch && applied.serial > desired.serial
    }

    /// The axes at `now`. A host that is not heard of is never green.
    pub fn axes(&self, now: Timestamp) -> Axes {
        let contact = self.contact(now);
        let (health, reason, message) = self.health(contact);
        Axes { sync: self.sync(), health, reason, message, contact }
    }

    /// The axes at `now` as the status branch has them. That a host is stale is
    /// live only: it comes and goes without a transition.
    pub fn committed_axes(&self, now: Timestamp) -> Axes {
        let contact = match self.contact(now) {
            Contact::Stale => Contact::Live,
            contact => contact,
        };
        let (health, reason, message) = self.health(contact);
        Axes { sync: self.sync(), health, reason, message, contact }
    }

    /// Whether it has what is published for it, and nothing of that is amiss.
    pub fn is_synced(&self) -> bool {
        self.sync() == Sync::Synced
    }

    fn sync(&self) -> Sync {
        let broken = |deviation: &ResourceReport| {
            use ResourceState::{Blocked, Error, Missing, NonCompliant, Pending};
            let is_configuration = deviation.address.collection() != Collection::Checks;
            is_configuration && matches!(deviation.state, Blocked | Error | Missing | NonCompliant | Pending)
        };
        match (&self.desired, &self.applied) {
            (Some(desired), Some(applied)) if self.hold.is_none() && !self.publishing => {
                if desired.content == applied.content && !self.deviations.iter().any(broken) {
                    Sync::Synced
                } else {
                    Sync::OutOfSync
                }
            }
            (_, Some(_)) => Sync::OutOfSync,
            _ => Sync::Unknown,
        }
    }

    fn health(&self, contact: Contact) -> (Health, String, String) {
        let because = |health, reason: &str, message: &str| (health, reason.to_owned(), message.to_owned());
        if self.retired.is_some() {
            return because(Health::Suspended, "Retired", "the host has left the repository");
        }
        let waits = self.hold.as_ref().is_none_or(|hold| hold.health == Health::Pending);
        if self.key.is_none() && waits {
            return because(Health::Pending, "NoKey", "declared, but its file has no key yet");
        }
        // It says so itself, and nothing else is to hide it.
        if let Some(reported) = self.reported.as_ref().filter(|_| self.break_glass.is_some()) {
            return reported.clone();
        }
        if let Some(hold) = &self.hold {
            return because(hold.health, &hold.reason, &hold.message);
        }
        match (contact, &self.reported) {
            (Contact::NeverSeen, _) | (_, None) => {
                because(Health::Unknown, "NeverSeen", "the host has not reported yet")
            }
            (Contact::Lost, _) => because(Health::Unknown, "ContactLost", "silent for more than 15 minutes"),
            (Contact::Stale, Some((Health::Healthy, ..))) => {
                because(Health::Unknown, "ContactStale", "silent for more than two minutes")
            }
            (_, Some((Health::Healthy, ..))) if self.sync() == Sync::OutOfSync => {
                because(Health::Progressing, "Applying", "a newer manifest is published")
            }
            (_, Some(reported)) => reported.clone(),
        }
    }

    fn contact(&self, now: Timestamp) -> Contact {
        match self.last_contact.map(|last| now.since(last)) {
            None if self.report_seq == 0 => Contact::NeverSeen,
            None => Contact::Lost,
            Some(silent) if silent > CONTACT_LOST => Contact::Lost,
            Some(silent) if silent > CONTACT_STALE => Contact::Stale,
            Some(_) => Contact::Live,
        }
    }
}
