//! One door for what agents send, whichever way it came.

mod copies;
mod decisions;
mod source;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use muster_schema::envelope::Signature;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, Enrolled, LiveAnswer, LiveRequest, Message, Receipt};
use muster_schema::{FleetName, PublicKey, ReceiptCode};
use tokio::sync::{Mutex as AsyncMutex, broadcast, mpsc, oneshot, watch};

use self::copies::Suspicions;
pub use self::source::Source;
use super::enrolment_desk::{DeskError, EnrolledHost, EnrolmentDesk};
use super::hints::Hints;
use super::live::{Live, NotAnswered};
use super::refusal_log::{RefusalLog, RefusedMessage};
use super::reply::{Reply, ReplyWriter, accept};
use crate::enrolment::{PendingHost, RateLimit, check_announcement};
use crate::inbound::{ApprovedHosts, Refusal, ReplayMarks, Seq, Stream, VerifiedMessage, verify_frame};
use crate::io::audit::AuditLog;
use crate::io::clock;
use crate::io::signer::Signer;

/// How long the cycle may take to make a message's effect durable.
const CYCLE_ANSWERS: Duration = Duration::from_secs(20);
/// Announcements of unknown keys, by where they come from.
const UNKNOWN_BURST: u32 = 64;
const UNKNOWN_PER_SECOND: u32 = 8;
const MAX_SOURCES: usize = 4096;
/// Messages of one approved key.
const KNOWN_BURST: u32 = 500;
const KNOWN_PER_SECOND: u32 = 100;
const MAX_KEYS: usize = 65_536;

/// A message for the cycle. `respond` is called when its effect is durable:
/// with [`Body::Receipt`] or [`Body::HeadReply`]. Dropping it means: not now.
///
/// Bodies that come: reports, facts, presence, head requests of enrolled hosts,
/// the answer to a challenge, which is right, so that the host is enrolled, and
/// announcements of unknown keys with the claim of an enrolment token.
/// Messages of one host and kind come one after the other, each number once.
#[derive(Debug)]
pub struct InboundMessage {
    /// What was sent, and by whom; see [`VerifiedMessage`] for what was checked.
    pub message: Message,
    /// The sender's signature.
    pub signature: Signature,
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// Takes the reply.
    pub respond: oneshot::Sender<Body>,
}

/// What the door needs.
pub struct InboundSettings<'a> {
    /// The fleet.
    pub fleet: FleetName,
    /// Signs replies: the key of the role `fresh`.
    pub fresh: Arc<dyn Signer>,
    /// The folder for enrolment's records.
    pub enrolment_dir: &'a Path,
    /// Marks of reports and facts, from the status that their effects are kept in.
    pub marks: ReplayMarks,
    /// Where it is written down who enrols, and what is refused.
    pub audit: Arc<AuditLog>,
    /// Where messages go.
    pub cycle: mpsc::Sender<InboundMessage>,
}

type Line = (PublicKey, Stream);

/// The door.
pub struct Inbound {
    fleet: FleetName,
    replies: ReplyWriter,
    desk: EnrolmentDesk,
    hints: Hints,
    live: Live,
    refusals: RefusalLog,
    copies: Mutex<Suspicions>,
    audit: Arc<AuditLog>,
    approved: RwLock<Arc<ApprovedHosts>>,
    marks: Mutex<ReplayMarks>,
    lines: Mutex<HashMap<Line, Arc<AsyncMutex<()>>>>,
    unknown: Mutex<RateLimit<String>>,
    known: Mutex<RateLimit<PublicKey>>,
    cycle: mpsc::Sender<InboundMessage>,
}

impl Inbound {
    /// Opens the door; nobody is approved yet.
    ///
    /// # Errors
    /// When enrolment's records cannot be read.
    pub fn open(settings: InboundSettings<'_>) -> Result<Arc<Self>, DeskError> {
        let InboundSettings { fleet, fresh, enrolment_dir, marks, audit, cycle } = settings;
        Ok(Arc::new(Inbound {
            replies: ReplyWriter::new(fleet.clone(), fresh),
            fleet,
            desk: EnrolmentDesk::open(enrolment_dir)?,
            hints: Hints::default(),
            live: Live::default(),
            refusals: RefusalLog::new(),
            copies: Mutex::default(),
            audit,
            approved: RwLock::default(),
            marks: Mutex::new(marks),
            lines: Mutex::default(),
            unknown: Mutex::new(RateLimit::new(UNKNOWN_BURST, UNKNOWN_PER_SECOND, MAX_SOURCES)),
            known: Mutex::new(RateLimit::new(KNOWN_BURST, KNOWN_PER_SECOND, MAX_KEYS)),
            cycle,
        }))
    }

    /// From now on these hosts are approved.
    pub fn set_approved(&self, approved: ApprovedHosts) {
        *self.approved.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(approved);
    }

    /// Who is approved.
    pub fn approved(&self) -> Arc<ApprovedHosts> {
        self.approved.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hints to agents.
    pub fn hints(&self) -> &Hints {
        &self.hints
    }

    /// Live requests under way.
    pub(super) fn live(&self) -> &Live {
        &self.live
    }

    /// Asks a host, and waits for its answer as long as `patience`.
    ///
    /// # Errors
    /// When it is not connected, or does not answer in time.
    pub async fn ask(
        &self,
        host: &HostIdentity,
        request: LiveRequest,
        patience: Duration,
    ) -> Result<LiveAnswer, NotAnswered> {
        let signed = self.replies.request(host, Body::LiveRequest(request), patience);
        let (id, frame) = signed.ok_or(NotAnswered::Unsigned)?;
        self.live.ask(host, id, frame, patience).await
    }

    /// Who waits for approval.
    pub fn pending(&self) -> Vec<PendingHost> {
        self.desk.pending(&self.approved(), clock::now())
    }

    /// Who proved both keys, approved still or not.
    pub fn enrolled(&self) -> Vec<EnrolledHost> {
        self.desk.enrolled()
    }

    /// Counts up whenever [`Inbound::pending`] or [`Inbound::enrolled`] changes.
    pub fn enrolment_changes(&self) -> watch::Receiver<u64> {
        self.desk.changes()
    }

    /// How many messages were refused since the start.
    pub fn refused(&self) -> u64 {
        self.refusals.count()
    }

    /// Tells of messages that are refused; not of each in a flood.
    pub fn refusals(&self) -> broadcast::Receiver<RefusedMessage> {
        self.refusals.subscribe()
    }

    /// Takes a frame: verifies it, lets it have its effect, and gives the reply.
    pub async fn handle_frame(self: &Arc<Self>, frame: &[u8], source: Source) -> Reply {
        match self.take(frame, source).await {
            Ok((sent, body)) => {
                let copied = self.note_presence(&sent);
                let (reply, id) = self.replies.answer_as(sent.host(), &sent.message().id, body);
                self.note_answer(&sent, id.as_deref());
                if copied {
                    self.suspect(&sent, source);
                }
                reply
            }
            Err(refusal) => self.refuse(refusal, source),
        }
    }

    /// Verifies a frame that asks to read something; it has no effect, so it may come twice.
    pub(super) fn verify_reader(&self, frame: &[u8], source: Source) -> Result<VerifiedMessage, Reply> {
        let sent = self.verify(frame, source).and_then(|sent| {
            self.check_enrolled(&sent)?;
            Ok(sent)
        });
        sent.map_err(|refusal| self.refuse(refusal, source))
    }

    /// The reply that tells a refusal.
    pub(super) fn refuse(&self, refusal: Refusal, source: Source) -> Reply {
        self.refusals.note(&refusal, source, clock::now());
        self.note_refusal(&refusal, source);
        self.replies.refuse(refusal)
    }

    fn verify(&self, frame: &[u8], source: Source) -> Result<VerifiedMessage, Refusal> {
        let now = clock::now();
        let may_announce = || {
            let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
            unknown.take(source.network(), now)
        };
        let approved = self.approved();
        let sent = verify_frame(frame, &self.fleet, &approved, now, may_announce)?;
        let counts = !matches!(sent.message().body, Body::Fetch(_)) && approved.of_key(sent.key()).next().is_some();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if counts && !known.take(*sent.key(), now) {
            return Err(sent.refuse(ReceiptCode::RateLimited, "too many messages of this host"));
        }
        Ok(sent)
    }

    fn check_enrolled(&self, sent: &VerifiedMessage) -> Result<(), Refusal> {
        let approved = self.approved();
        let file = approved.of_key(sent.key()).find(|host| host.id == sent.host().id);
        let recipient = file.and_then(|host| host.recipient.as_deref());
        if self.desk.is_enrolled(sent.key(), recipient) {
            return Ok(());
        }
        Err(sent.refuse(ReceiptCode::NotEnrolled, "the challenge is not answered yet; announce the host"))
    }

    async fn take(self: &Arc<Self>, frame: &[u8], source: Source) -> Result<(VerifiedMessage, Body), Refusal> {
        let sent = self.verify(frame, source)?;
        if matches!(sent.message().body, Body::Announce(_) | Body::ChallengeAnswer(_)) {
            let body = self.enrol(&sent, source).await?;
            return Ok((sent, body));
        }
        if let Body::LiveAnswer(answer) = &sent.message().body {
            self.check_enrolled(&sent)?;
            let id = sent.message().in_reply_to.as_deref().unwrap_or_default();
            let waited = self.live.answer(sent.host(), id, answer.clone());
            let body = accept(ReceiptCode::Accepted, if waited { "" } else { "nobody waits for it any more" });
            return Ok((sent, body));
        }
        let Some(stream) = Stream::of(&sent.message().body) else {
            return Err(sent.refuse(ReceiptCode::WrongType, "agents do not send this here"));
        };
        self.check_enrolled(&sent)?;
        let line = (*sent.key(), stream);
        let turn = self.line(line);
        let guard = turn.lock().await;
        let result = self.take_in_turn(&sent, stream).await;
        drop(guard);
        drop(turn);
        self.leave_line(&line);
        result.map(|body| (sent, body))
    }

    /// Whoever is here is the only one of its line: same key, same kind.
    async fn take_in_turn(&self, sent: &VerifiedMessage, stream: Stream) -> Result<Body, Refusal> {
        let (key, seq) = (*sent.key(), sent.message().seq);
        let stands = self.marks.lock().unwrap_or_else(PoisonError::into_inner).check(&key, stream, seq);
        match (stands, stream) {
            (Seq::New, _) => {}
            (Seq::Again, Stream::Reports | Stream::Facts) => {
                return Ok(accept(ReceiptCode::Accepted, "it was taken before"));
            }
            // What has no lasting effect is not repeated, and its first answer is not kept.
            (Seq::Again, _) => return Err(replayed(sent, seq)),
            (Seq::Replayed(mark), _) => return Err(replayed(sent, mark)),
        }
        let body = self.ask_cycle(sent).await?;
        let refused = matches!(&body, Body::Receipt(Receipt { accepted: false, .. }));
        if !refused {
            self.marks.lock().unwrap_or_else(PoisonError::into_inner).raise(key, stream, seq);
        }
        Ok(body)
    }

    async fn ask_cycle(&self, sent: &VerifiedMessage) -> Result<Body, Refusal> {
        let (respond, answer) = oneshot::channel();
        let message = InboundMessage {
            message: sent.message().clone(),
            signature: sent.signature().clone(),
            payload: sent.payload().to_vec(),
            respond,
        };
        let asked = async {
            self.cycle.send(message).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(CYCLE_ANSWERS, asked).await {
            Ok(Some(body)) => Ok(body),
            Ok(None) | Err(_) => Err(sent.refuse(ReceiptCode::Busy, "the orchestrator cannot take it now")),
        }
    }

    async fn enrol(self: &Arc<Self>, sent: &VerifiedMessage, source: Source) -> Result<Body, Refusal> {
        if let Body::ChallengeAnswer(answer) = &sent.message().body {
            self.desk.check_answer(sent, answer, clock::now())?;
            // The cycle first: once the record is written, nobody would tell it any more.
            let told = self.ask_cycle(sent).await?;
            if matches!(told, Body::Receipt(Receipt { accepted: false, .. })) {
                return Ok(told);
            }
        }
        if let Body::Announce(announce) = &sent.message().body
            && announce.token.is_some()
            && self.approved().current(sent.key()).is_none()
        {
            check_announcement(announce).map_err(|error| sent.refuse(ReceiptCode::Malformed, error.to_string()))?;
            return self.claim(sent).await;
        }
        let (this, message) = (self.clone(), sent.clone());
        let done = tokio::task::spawn_blocking(move || this.enrol_at_desk(&message, source)).await;
        let busy = || sent.refuse(ReceiptCode::Busy, "enrolment cannot be recorded now");
        match done {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "enrolment cannot be recorded");
                Err(busy())
            }
            Err(_) => Err(busy()),
        }
    }

    /// Has the cycle judge a claim: it alone knows the tokens, and what became of them. Who claims is not on the pending
    /// list: it becomes a host without a person, or not at all.
    async fn claim(&self, sent: &VerifiedMessage) -> Result<Body, Refusal> {
        match self.ask_cycle(sent).await? {
            Body::Receipt(Receipt { accepted: false, code, message, .. }) => {
                Err(sent.refuse(ReceiptCode::load(&code).unwrap_or(ReceiptCode::Busy), message))
            }
            told => Ok(told),
        }
    }

    fn enrol_at_desk(&self, sent: &VerifiedMessage, source: Source) -> Result<Result<Body, Refusal>, DeskError> {
        let (approved, now) = (self.approved(), clock::now());
        match &sent.message().body {
            Body::Announce(announce) => {
                let answer = self.desk.announce(sent, announce, &approved, &source.network(), now)?;
                if let Ok(Body::Challenge(_)) = &answer {
                    self.note_enrolment(sent, "Challenged", source)?;
                }
                Ok(answer)
            }
            Body::ChallengeAnswer(answer) => {
                let Some(host) = approved.current(sent.key()) else {
                    return Ok(Err(sent.refuse(ReceiptCode::UnknownKey, "this key is not approved any more")));
                };
                self.note_enrolment(sent, "Enrolled", source)?;
                self.desk.enrol(sent, answer, now)?;
                Ok(Ok(Body::Enrolled(Enrolled { id: host.id.clone() })))
            }
            _ => Ok(Err(sent.refuse(ReceiptCode::WrongType, "this is no part of enrolment"))),
        }
    }

    fn line(&self, line: Line) -> Arc<AsyncMutex<()>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).entry(line).or_default().clone()
    }

    fn leave_line(&self, line: &Line) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.get(line).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            lines.remove(line);
        }
    }
}

fn replayed(sent: &VerifiedMessage, mark: u64) -> Refusal {
    let mut refusal = sent.refuse(ReceiptCode::Replayed, "a message with this number or a higher one was taken before");
    refusal.seq = Some(mark);
    refusal
}
