//! Live requests: what a host is asked while somebody waits for the answer.
//!
//! A request goes to one host, signed, good for as long as somebody waits. Nothing of it is kept: who asked asks again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muster_schema::manifest::HostIdentity;
use muster_schema::message::LiveAnswer;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// Requests that wait for one host's next poll; more are refused.
const MOST_WAITING: usize = 32;
/// A host that polled so lately polls again at once.
const BETWEEN_POLLS: Duration = Duration::from_secs(5);

/// Why a host did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnswered {
    /// It neither polls nor reads its queue.
    #[error("it is not connected")]
    NotConnected,
    /// Too many requests wait for it.
    #[error("too many requests wait for it")]
    Busy,
    /// No answer came in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// The request could not be signed.
    #[error("the request cannot be signed")]
    Unsigned,
}

type Outcome = Result<LiveAnswer, NotAnswered>;

/// Who waits for whom, and what is on its way.
#[derive(Debug, Default)]
pub(super) struct Live {
    state: Mutex<State>,
    broker_due: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<String, Waiting>,
    /// By id and key: who polls with a key that was exchanged gets nothing that is for the new one.
    polls: HashMap<HostIdentity, Poll>,
    /// What the broker is still to be given; none while there is no connection to it.
    broker: Option<VecDeque<DueRequest>>,
}

#[derive(Debug)]
struct Waiting {
    host: HostIdentity,
    respond: oneshot::Sender<Outcome>,
}

/// A host that polls over HTTP.
#[derive(Debug)]
struct Poll {
    queue: VecDeque<(Vec<u8>, Instant)>,
    due: Arc<Notify>,
    polling: usize,
    last: Instant,
}

/// A request for the broker.
#[derive(Debug)]
pub(super) struct DueRequest {
    pub(super) host: HostIdentity,
    pub(super) id: String,
    pub(super) frame: Vec<u8>,
    pub(super) life: Duration,
}

impl Live {
    /// Sends the signed request `id` to `host` and waits for its answer.
    pub(super) async fn ask(&self, host: &HostIdentity, id: String, frame: Vec<u8>, patience: Duration) -> Outcome {
        let (respond, answer) = oneshot::channel();
        self.lock().waiting.insert(id.clone(), Waiting { host: host.clone(), respond });
        let _place = Place { live: self, id: id.clone() };
        self.send(DueRequest { host: host.clone(), id, frame, life: patience })?;
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(NotAnswered::TimedOut),
        }
    }

    /// By the way that the host uses: a poll that is there, or else the broker.
    fn send(&self, request: DueRequest) -> Result<(), NotAnswered> {
        let now = Instant::now();
        let mut state = self.lock();
        state.polls.retain(|_, poll| poll.is_there(now));
        if let Some(poll) = state.polls.get_mut(&request.host) {
            poll.queue.retain(|(_, until)| *until > now);
            if poll.queue.len() >= MOST_WAITING {
                return Err(NotAnswered::Busy);
            }
            poll.queue.push_back((request.frame, now + request.life));
            poll.due.notify_one();
            return Ok(());
        }
        state.broker.as_mut().ok_or(NotAnswered::NotConnected)?.push_back(request);
        self.broker_due.notify_one();
        Ok(())
    }

    /// The next request for a host that polls. Dropping this ends the poll.
    pub(super) async fn next_for(&self, host: &HostIdentity) -> Vec<u8> {
        let due = {
            let mut state = self.lock();
            let poll = state.polls.entry(host.clone()).or_insert_with(Poll::new);
            poll.polling += 1;
            poll.due.clone()
        };
        let _polling = Polling { live: self, host };
        loop {
            let next = self.lock().polls.get_mut(host).and_then(|poll| poll.queue.pop_front());
            match next {
                Some((frame, until)) if until > Instant::now() => return frame,
                Some(_) => {}
                None => due.notified().await,
            }
        }
    }

    /// Gives an answer to who waits for it. Only the host that was asked can answer.
    pub(super) fn answer(&self, from: &HostIdentity, id: &str, answer: LiveAnswer) -> bool {
        let mut state = self.lock();
        if state.waiting.get(id).is_none_or(|waiting| waiting.host.key != from.key) {
            return false;
        }
        let waiting = state.waiting.remove(id);
        waiting.is_some_and(|waiting| waiting.respond.send(Ok(answer)).is_ok())
    }

    /// Tells who waits that nothing will come.
    pub(super) fn fail(&self, id: &str, why: NotAnswered) {
        if let Some(waiting) = self.lock().waiting.remove(id) {
            // Who waited may have given up.
            let _ = waiting.respond.send(Err(why));
        }
    }

    /// There is a connection to the broker, until this is dropped.
    pub(super) fn begin_broker(&self) -> BrokerWay<'_> {
        self.lock().broker = Some(VecDeque::new());
        BrokerWay { live: self }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Poll {
    fn new() -> Poll {
        Poll { queue: VecDeque::new(), due: Arc::default(), polling: 0, last: Instant::now() }
    }

    fn is_there(&self, now: Instant) -> bool {
        self.polling > 0 || now.saturating_duration_since(self.last) < BETWEEN_POLLS
    }
}

/// A place among those who wait; left when dropped.
struct Place<'a> {
    live: &'a Live,
    id: String,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.live.lock().waiting.remove(&self.id);
    }
}

/// A poll that goes on.
struct Polling<'a> {
    live: &'a Live,
    host: &'a HostIdentity,
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if let Some(poll) = self.live.lock().polls.get_mut(self.host) {
            poll.polling = poll.polling.saturating_sub(1);
            poll.last = Instant::now();
        }
    }
}

/// The way by the broker, as long as it is there.
pub(super) struct BrokerWay<'a> {
    live: &'a Live,
}

impl BrokerWay<'_> {
    /// What the broker is to be given, once there is something.
    pub(super) async fn due(&self) -> VecDeque<DueRequest> {
        loop {
            let due = self.live.lock().broker.as_mut().map(std::mem::take).unwrap_or_default();
            if !due.is_empty() {
                return due;
            }
            self.live.broker_due.notified().await;
        }
    }
}

impl Drop for BrokerWay<'_> {
    fn drop(&mut self) {
        let unsent = self.live.lock().broker.take().unwrap_or_default();
        unsent.iter().for_each(|request| self.live.fail(&request.id, NotAnswered::NotConnected));
    }
}
