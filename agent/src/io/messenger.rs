//! Sends signed messages and verifies the replies, over any transport.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, Fetch, HintRequest, LiveAnswer, Presence, Receipt};
use muster_schema::{FleetName, HostId, PublicKey, ReceiptCode, Timestamp};

use tokio::sync::Notify;

use super::clock;
use super::host_keys::{HostKeys, HostKeysError};
use super::transport::{Fetched, Transport, TransportError, Waited};
use crate::message::{
    Outgoing, RefusedRequest, ReplyError, Sender, SignedMessage, VerifiedReply, VerifiedRequest, verify_reply,
    verify_request,
};

/// How often a message is signed anew after the orchestrator corrected our
/// clock or number: once for each, and once more.
const TRIES: usize = 3;

/// The agent's end of the conversation with the orchestrator.
pub struct Messenger {
    transport: Arc<dyn Transport>,
    keys: Arc<HostKeys>,
    state: Mutex<State>,
    not_enrolled: Notify,
    key_lost: Notify,
    named: Notify,
}

/// Why waiting ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Woken {
    /// There may be something new: look.
    Look,
    /// The frame of a live request. Nothing of it was checked.
    Request(Vec<u8>),
    /// There was nothing for a while.
    Nothing,
}

struct State {
    sender: Sender,
    fresh: Vec<PublicKey>,
    last_seq: u64,
    /// What the orchestrator's clock is ahead of ours, in milliseconds, where
    /// it refused a message for its time.
    ahead: i128,
    trusted: Option<Timestamp>,
    last_hint: u64,
    contact_lost: bool,
    /// Names this start of the agent to the orchestrator.
    start: String,
    /// The newest answer to a presence.
    heard: Option<String>,
}

/// Why the orchestrator did not take or give something.
#[derive(Debug, thiserror::Error)]
pub enum MessengerError {
    /// The transport failed; the message may have arrived or not.
    #[error("no contact with the orchestrator")]
    Transport(#[from] TransportError),
    /// The reply does not stand.
    #[error("the orchestrator's reply is refused")]
    Reply(#[from] ReplyError),
    /// The orchestrator refused.
    #[error("the orchestrator refused: {code}: {message}")]
    Refused {
        /// The word of a [`ReceiptCode`], or one that this build does not know.
        code: String,
        /// For people.
        message: String,
    },
    /// It answered with something that is no answer to what was asked.
    #[error("the orchestrator answered with a message of another type")]
    Unexpected,
    /// Signing failed.
    #[error("cannot sign a message")]
    Keys(#[from] HostKeysError),
    /// No random number is to be had.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// The message cannot be written.
    #[error("cannot write a message")]
    Write(#[from] serde_json::Error),
}

impl MessengerError {
    /// The code of a refusal, where this build knows it.
    pub fn code(&self) -> Option<ReceiptCode> {
        match self {
            MessengerError::Refused { code, .. } => ReceiptCode::load(code),
            _ => None,
        }
    }
}

impl Messenger {
    /// Speaks as `id` of `fleet`; believes replies that one of the keys `fresh` signed.
    pub fn new(
        transport: Arc<dyn Transport>,
        keys: Arc<HostKeys>,
        fleet: FleetName,
        id: HostId,
        fresh: Vec<PublicKey>,
    ) -> Self {
        let host = HostIdentity { id, key: keys.public_key() };
        let state = State {
            sender: Sender { fleet, host },
            fresh,
            last_seq: 0,
            ahead: 0,
            trusted: None,
            last_hint: 0,
            contact_lost: true,
            start: new_start(),
            heard: None,
        };
        let [not_enrolled, key_lost, named] = [Notify::new(), Notify::new(), Notify::new()];
        Messenger { transport, keys, state: Mutex::new(state), not_enrolled, key_lost, named }
    }

    /// One that speaks for the same host with other keys.
    pub fn with_keys(&self, keys: Arc<HostKeys>) -> Messenger {
        let state = self.state();
        let (Sender { fleet, host }, fresh) = (state.sender.clone(), state.fresh.clone());
        Messenger::new(self.transport.clone(), keys, fleet, host.id, fresh)
    }

    /// The fleet that it speaks in.
    pub fn fleet(&self) -> FleetName {
        self.state().sender.fleet.clone()
    }

    /// Waits until the orchestrator refuses a message because our key counts no more.
    pub async fn lost_key(&self) {
        self.key_lost.notified().await;
    }

    /// Waits until the orchestrator refuses a message because it does not have
    /// our proof: it lost its disk, perhaps. Then the host is to enrol again.
    pub async fn lost_enrolment(&self) {
        self.not_enrolled.notified().await;
    }

    /// Speaks as `id` from now on: after enrolment or a rename.
    pub fn set_id(&self, id: HostId) {
        self.state().sender.host.id = id;
        self.named.notify_waiters();
    }

    /// The id that it speaks as.
    pub fn id(&self) -> HostId {
        self.state().sender.host.id.clone()
    }

    /// Believes these keys from now on: after a new root.
    pub fn set_fresh_keys(&self, fresh: Vec<PublicKey>) {
        self.state().fresh = fresh;
    }

    /// The latest time that the orchestrator signed in a reply to us.
    pub fn trusted_time(&self) -> Option<Timestamp> {
        self.state().trusted
    }

    /// A sign of life. By what it says of this start, the orchestrator notices that another machine has our key.
    pub fn presence(&self) -> Body {
        let state = self.state();
        let (start, heard) = (Some(state.start.clone()), state.heard.clone());
        Body::Presence(Presence { agent: env!("CARGO_PKG_VERSION").to_owned(), start, heard })
    }

    /// A new message. Keep it and [`Messenger::deliver`] it until that succeeds:
    /// id and number stay, so the orchestrator acts on it once.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn prepare(&self, body: Body) -> Result<Outgoing, MessengerError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(MessengerError::Random)?;
        let mut state = self.state();
        let seq = state.next_seq();
        Ok(Outgoing { id: hex::encode(id), seq, in_reply_to: None, body })
    }

    /// Sends a message and gives the verified reply. Where the orchestrator
    /// refuses it for our clock or number, that is put right and it is sent again.
    ///
    /// # Errors
    /// When there is no contact, the reply does not stand, or it is a refusal.
    pub async fn deliver(&self, outgoing: &mut Outgoing) -> Result<Body, MessengerError> {
        for _ in 0..TRIES {
            let message = self.sign(outgoing)?;
            let frame = self.transport.request(&message).await?;
            let reply = self.verify(&frame, &message)?;
            if matches!(outgoing.body, Body::Presence(_)) {
                self.state().heard = Some(reply.id().to_owned());
            }
            match self.correct(outgoing, reply)? {
                Corrected::Again => {}
                Corrected::Reply(Body::Receipt(receipt)) if !receipt.accepted => return Err(self.refused(receipt)),
                Corrected::Reply(body) => return Ok(body),
            }
        }
        Err(MessengerError::Unexpected)
    }

    /// [`Messenger::prepare`] and [`Messenger::deliver`] for what need not survive us.
    ///
    /// # Errors
    /// As those.
    pub async fn ask(&self, body: Body) -> Result<Body, MessengerError> {
        self.deliver(&mut self.prepare(body)?).await
    }

    /// Fetches a file of the published tree, of at most `cap` bytes; none when
    /// there is none of that name.
    ///
    /// # Errors
    /// When there is no contact, the file is larger, or the orchestrator refuses.
    pub async fn fetch(&self, path: &str, cap: usize) -> Result<Option<Vec<u8>>, MessengerError> {
        let mut outgoing = self.prepare(Body::Fetch(Fetch { path: path.to_owned() }))?;
        for _ in 0..TRIES {
            let proof = self.sign(&outgoing)?;
            let frame = match self.transport.fetch(path, Some(&proof), cap).await? {
                Fetched::File(bytes) => return Ok(Some(bytes)),
                Fetched::Missing => return Ok(None),
                Fetched::Refused(frame) => frame,
            };
            self.again_or_refused(&mut outgoing, &frame, &proof)?;
        }
        Err(MessengerError::Unexpected)
    }

    /// Waits until the orchestrator has something new or asks something, or contact is back after it was lost.
    ///
    /// # Errors
    /// When there is no contact; wait before trying again.
    pub async fn listen(&self) -> Result<Woken, MessengerError> {
        tokio::select! {
            woken = self.listen_as_named() => woken,
            // What is for the new name comes elsewhere.
            () = self.named.notified() => Ok(Woken::Look),
        }
    }

    async fn listen_as_named(&self) -> Result<Woken, MessengerError> {
        if self.state().contact_lost {
            // Proves that contact is back, at once and not after half a minute.
            self.ask(self.presence()).await?;
            self.state().contact_lost = false;
            return Ok(Woken::Look);
        }
        let after = self.state().last_hint;
        let mut outgoing = self.prepare(Body::HintRequest(HintRequest { after }))?;
        for _ in 0..TRIES {
            let proof = self.sign(&outgoing)?;
            let frame = match self.transport.wait_for_hint(&proof).await {
                Ok(Waited::Hint(hint)) => {
                    self.state().last_hint = hint.hint;
                    return Ok(Woken::Look);
                }
                Ok(Waited::Request(frame)) => return Ok(Woken::Request(frame)),
                Ok(Waited::Nothing) => return Ok(Woken::Nothing),
                Ok(Waited::Refused(frame)) => frame,
                Err(error) => {
                    self.state().contact_lost = true;
                    return Err(error.into());
                }
            };
            self.again_or_refused(&mut outgoing, &frame, &proof)?;
        }
        Err(MessengerError::Unexpected)
    }

    /// Checks the frame of a live request: who signed it, for whom, and when.
    ///
    /// # Errors
    /// With the refusal, and what can be answered to it, if anything.
    pub fn verify_request(&self, frame: &[u8]) -> Result<VerifiedRequest, RefusedRequest> {
        let now = self.now();
        let state = self.state();
        verify_request(frame, &state.fresh, &state.sender, now)
    }

    /// Now: our clock, set right by what the orchestrator said of it, and never before what it last signed.
    pub fn now(&self) -> Timestamp {
        let state = self.state();
        state.now().max(state.trusted.unwrap_or_default())
    }

    /// Sends the answer to the live request `id`.
    ///
    /// # Errors
    /// As [`Messenger::deliver`].
    pub async fn answer(&self, id: String, answer: LiveAnswer) -> Result<(), MessengerError> {
        let mut outgoing = self.prepare(Body::LiveAnswer(answer))?;
        outgoing.in_reply_to = Some(id);
        self.deliver(&mut outgoing).await.map(drop)
    }

    /// Learns from a refusal, or gives it back.
    fn again_or_refused(
        &self,
        outgoing: &mut Outgoing,
        frame: &[u8],
        sent: &SignedMessage,
    ) -> Result<(), MessengerError> {
        let reply = self.verify(frame, sent)?;
        match self.correct(outgoing, reply)? {
            Corrected::Again => Ok(()),
            Corrected::Reply(Body::Receipt(receipt)) => Err(self.refused(receipt)),
            Corrected::Reply(_) => Err(MessengerError::Unexpected),
        }
    }

    fn sign(&self, outgoing: &Outgoing) -> Result<SignedMessage, MessengerError> {
        let (sender, now) = {
            let state = self.state();
            (state.sender.clone(), state.now())
        };
        let payload = outgoing.to_payload(&sender, now)?;
        let signature = self.keys.sign(&payload)?;
        Ok(SignedMessage {
            id: outgoing.id.clone(),
            body_type: outgoing.body.body_type(),
            host: sender.host.id,
            frame: muster_schema::envelope::join_frame(&signature, &payload),
            life: outgoing.life(),
        })
    }

    fn verify(&self, frame: &[u8], sent: &SignedMessage) -> Result<VerifiedReply, MessengerError> {
        let mut state = self.state();
        let reply = verify_reply(frame, &state.fresh, &state.sender, &sent.id)?;
        state.trusted = state.trusted.max(Some(reply.issued()));
        Ok(reply)
    }

    fn correct(&self, outgoing: &mut Outgoing, reply: VerifiedReply) -> Result<Corrected, MessengerError> {
        let Body::Receipt(receipt) = reply.body() else { return Ok(Corrected::Reply(reply.into_body())) };
        let mut state = self.state();
        match (ReceiptCode::load(&receipt.code), receipt.seq) {
            (Some(ReceiptCode::Expired | ReceiptCode::FromFuture), _) => {
                state.ahead = i128::from(reply.issued().0) - i128::from(clock::now().0);
                Ok(Corrected::Again)
            }
            (Some(ReceiptCode::Replayed), Some(taken)) if taken >= outgoing.seq => {
                state.last_seq = state.last_seq.max(taken);
                outgoing.seq = state.next_seq();
                Ok(Corrected::Again)
            }
            _ => Ok(Corrected::Reply(reply.into_body())),
        }
    }

    fn refused(&self, receipt: Receipt) -> MessengerError {
        match ReceiptCode::load(&receipt.code) {
            Some(ReceiptCode::NotEnrolled) => self.not_enrolled.notify_one(),
            Some(ReceiptCode::KeyRevoked) => self.key_lost.notify_one(),
            _ => {}
        }
        MessengerError::Refused { code: receipt.code, message: receipt.message }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a random number nothing else can be sent either.
fn new_start() -> String {
    let mut start = [0; 16];
    let _ = getrandom::fill(&mut start);
    hex::encode(start)
}

enum Corrected {
    Again,
    Reply(Body),
}

impl State {
    /// Our clock, set right by what the orchestrator last said of it.
    fn now(&self) -> Timestamp {
        let now = i128::from(clock::now().0) + self.ahead;
        Timestamp(u64::try_from(now.max(0)).unwrap_or(u64::MAX))
    }

    fn next_seq(&mut self) -> u64 {
        self.last_seq = self.now().0.max(self.last_seq.saturating_add(1));
        self.last_seq
    }
}
