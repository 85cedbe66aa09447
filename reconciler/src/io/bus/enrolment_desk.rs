//! Where enrolment happens: the pending list, the challenges, and the record of
//! who proved both keys.

use std::collections::HashMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::envelope::Signature;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Announce, Body, Challenge, ChallengeAnswer, Enrolled, successor_statement};
use muster_schema::{PublicKey, ReceiptCode, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::enrolment_files::{EnrolmentFileError, RecordFolder};
use super::reply::accept;
use crate::enrolment::{CHALLENGE_BYTES, Listed, OpenChallenges, PendingHost, PendingList, check_announcement};
use crate::inbound::{ApprovedHosts, Refusal, VerifiedMessage};
use crate::io::audit::AuditError;

/// A host that proved both of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolledHost {
    /// Its key.
    pub key: PublicKey,
    /// Its age recipient.
    pub recipient: String,
    /// The bytes of its answer to the challenge, in which it names the recipient.
    pub answer: String,
    /// The text of the answer's signature.
    pub signature: String,
    /// When.
    pub at: Timestamp,
}

/// The desk cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A record cannot be kept.
    #[error(transparent)]
    Files(#[from] EnrolmentFileError),
    /// No random number is to be had.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// It cannot be written down.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// age failed.
    #[error("a challenge cannot be encrypted")]
    Encrypt(#[from] age::EncryptError),
}

/// The answer to an enrolling agent.
pub(super) type Answer = Result<Result<Body, Refusal>, DeskError>;

pub(super) struct EnrolmentDesk {
    state: Mutex<State>,
    pending_files: RecordFolder,
    enrolled_files: RecordFolder,
    changes: watch::Sender<u64>,
}

struct State {
    pending: PendingList,
    challenges: OpenChallenges,
    enrolled: HashMap<PublicKey, EnrolledHost>,
}

impl EnrolmentDesk {
    /// Opens the desk whose records are below `dir`.
    pub(super) fn open(dir: &Path) -> Result<Self, DeskError> {
        let (pending_files, pending) = RecordFolder::open(dir.join("pending"))?;
        let (enrolled_files, enrolled) = RecordFolder::open::<EnrolledHost>(dir.join("enrolled"))?;
        let state = State {
            pending: PendingList::load(pending),
            challenges: OpenChallenges::default(),
            enrolled: enrolled.into_iter().map(|host| (host.key, host)).collect(),
        };
        Ok(EnrolmentDesk { state: Mutex::new(state), pending_files, enrolled_files, changes: watch::channel(0).0 })
    }

    /// Whether `key` proved itself for the recipient in the host's file, if one stands there.
    pub(super) fn is_enrolled(&self, key: &PublicKey, recipient: Option<&str>) -> bool {
        let state = self.lock();
        let enrolled = state.enrolled.get(key);
        enrolled.is_some_and(|host| recipient.is_none_or(|recipient| recipient == host.recipient))
    }

    /// An agent shows itself.
    pub(super) fn announce(
        &self,
        sent: &VerifiedMessage,
        announce: &Announce,
        approved: &ApprovedHosts,
        source: &str,
        now: Timestamp,
    ) -> Answer {
        if let Err(error) = check_announcement(announce) {
            return Ok(Err(sent.refuse(ReceiptCode::Malformed, error.to_string())));
        }
        let key = *sent.key();
        let Some(host) = approved.current(&key) else {
            return match self.find_before(sent, announce, approved) {
                Ok(replaces) => self.list(sent, announce, replaces, source, now),
                Err(refusal) => {
                    self.forget(&key)?;
                    Ok(Err(refusal))
                }
            };
        };
        self.forget(&key)?;
        if host.recipient.as_ref().is_some_and(|recipient| *recipient != announce.recipient) {
            let message = "the host's file names another recipient; approve the host anew";
            return Ok(Err(sent.refuse(ReceiptCode::WrongAgeRecipient, message)));
        }
        if self.is_enrolled(&key, Some(&announce.recipient)) {
            return Ok(Ok(Body::Enrolled(Enrolled { id: host.id.clone() })));
        }
        let mut secret = [0; CHALLENGE_BYTES];
        getrandom::fill(&mut secret).map_err(DeskError::Random)?;
        let Ok(recipient) = age::x25519::Recipient::from_str(&announce.recipient) else {
            return Ok(Err(sent.refuse(ReceiptCode::Malformed, "the recipient is none of age's")));
        };
        let ciphertext = STANDARD.encode(age::encrypt(&recipient, &secret)?);
        self.lock().challenges.ask(key, announce.recipient.clone(), secret, now);
        Ok(Ok(Body::Challenge(Challenge { ciphertext })))
    }

    /// The host whose key says that the sender's is to follow it, where the announcement claims that.
    fn find_before(
        &self,
        sent: &VerifiedMessage,
        announce: &Announce,
        approved: &ApprovedHosts,
    ) -> Result<Option<HostIdentity>, Refusal> {
        let Some(replaces) = &announce.replaces else { return Ok(None) };
        let refuse = |why: &str| sent.refuse(ReceiptCode::SuccessorInvalid, why);
        let host =
            approved.current(&replaces.key).filter(|host| self.is_enrolled(&host.key, host.recipient.as_deref()));
        let host = host.ok_or_else(|| refuse("the key of before is no enrolled host's"))?;
        let statement = successor_statement(&sent.message().fleet, &host.key, sent.key(), &announce.recipient);
        let signature = Signature::load(replaces.signature.as_bytes()).map_err(|error| refuse(&error.to_string()))?;
        signature.verify(&statement, &host.key).map_err(|error| refuse(&error.to_string()))?;
        Ok(Some(HostIdentity { id: host.id.clone(), key: host.key }))
    }

    fn list(
        &self,
        sent: &VerifiedMessage,
        announce: &Announce,
        replaces: Option<HostIdentity>,
        source: &str,
        now: Timestamp,
    ) -> Answer {
        let key = *sent.key();
        let (listed, dropped, record) = {
            let mut state = self.lock();
            let (listed, dropped) = state.pending.announce(key, announce.clone(), replaces, source, now);
            (listed, dropped, state.pending.get(&key).cloned())
        };
        for silent in &dropped {
            self.pending_files.remove(silent)?;
        }
        if let (Listed::New, Some(record)) = (listed, &record) {
            self.pending_files.write(&key, record)?;
        }
        if listed == Listed::New || !dropped.is_empty() {
            self.changed();
        }
        Ok(match listed {
            Listed::New | Listed::Known => Ok(accept(ReceiptCode::Pending, "a person is to approve this host")),
            Listed::Full => Err(sent.refuse(ReceiptCode::EnrolmentFull, "too many hosts wait for approval")),
        })
    }

    /// Whether an answer to a challenge is right; the question is closed.
    pub(super) fn check_answer(
        &self,
        sent: &VerifiedMessage,
        answer: &ChallengeAnswer,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match self.lock().challenges.close(sent.key(), &answer.recipient, &answer.answer, now) {
            Some(true) => Ok(()),
            Some(false) => Err(sent.refuse(ReceiptCode::WrongAnswer, "that does not answer the challenge")),
            None => Err(sent.refuse(ReceiptCode::NoChallenge, "there is no open challenge; announce again")),
        }
    }

    /// Keeps the proof that `sent` is, durably; the host is enrolled from then on.
    pub(super) fn enrol(
        &self,
        sent: &VerifiedMessage,
        answer: &ChallengeAnswer,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let host = EnrolledHost {
            key: *sent.key(),
            recipient: answer.recipient.clone(),
            answer: String::from_utf8_lossy(sent.payload()).into_owned(),
            signature: sent.signature().text().to_owned(),
            at: now,
        };
        self.enrolled_files.write(&host.key, &host)?;
        self.lock().enrolled.insert(host.key, host);
        self.changed();
        Ok(())
    }

    /// Takes a key off the pending list.
    fn forget(&self, key: &PublicKey) -> Result<(), DeskError> {
        if self.lock().pending.remove(key) {
            self.pending_files.remove(key)?;
            self.changed();
        }
        Ok(())
    }

    /// Who waits for approval: nobody that `approved` names, nobody silent, no successor of a key that counts no more.
    pub(super) fn pending(&self, approved: &ApprovedHosts, now: Timestamp) -> Vec<PendingHost> {
        let waits = |host: &&PendingHost| {
            let follows = |before: &HostIdentity| approved.current(&before.key).is_some_and(|now| now.id == before.id);
            now.since(host.last_seen) <= crate::enrolment::PENDING_LIFE
                && approved.current(&host.key).is_none()
                && host.replaces.as_ref().is_none_or(follows)
        };
        self.lock().pending.iter().filter(waits).cloned().collect()
    }

    /// Who proved both keys.
    pub(super) fn enrolled(&self) -> Vec<EnrolledHost> {
        self.lock().enrolled.values().cloned().collect()
    }

    /// Counts up whenever one of the two lists changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Has who listens look again.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
