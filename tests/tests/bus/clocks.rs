//! A host whose clock or numbers are wrong puts itself right by what the orchestrator signed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use muster_agent::io::http::HttpTransport;
use muster_agent::io::transport::{Fetched, Transport, TransportError, Waited};
use muster_agent::message::SignedMessage;
use muster_schema::Timestamp;
use muster_schema::envelope::{join_frame, split_frame};
use muster_schema::message::Message;

/// The agent's way out, with the clock of its first `wrong` messages off by
/// `off` milliseconds, as if its system's clock were.
pub(crate) struct WrongClock {
    pub(crate) http: HttpTransport,
    pub(crate) keys: Arc<std::sync::OnceLock<Arc<muster_agent::io::host_keys::HostKeys>>>,
    pub(crate) off: i64,
    pub(crate) wrong: AtomicUsize,
}

impl Transport for WrongClock {
    fn request<'a>(&'a self, message: &'a SignedMessage) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        let still = self.wrong.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok();
        if !still {
            return self.http.request(message);
        }
        let (_, payload) = split_frame(&message.frame).unwrap();
        let mut changed = Message::load(payload).unwrap();
        let shift = |at: Timestamp| Timestamp(at.0.saturating_add_signed(self.off));
        (changed.issued, changed.expires) = (shift(changed.issued), shift(changed.expires));
        let payload = changed.to_bytes().unwrap();
        let frame = join_frame(&self.keys.get().unwrap().sign(&payload).unwrap(), &payload);
        let message = SignedMessage { frame, ..message.clone() };
        async move { self.http.request(&message).await }.boxed()
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        proof: Option<&'a SignedMessage>,
        cap: usize,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>> {
        self.http.fetch(path, proof, cap)
    }

    fn wait_for_hint<'a>(&'a self, proof: &'a SignedMessage) -> BoxFuture<'a, Result<Waited, TransportError>> {
        self.http.wait_for_hint(proof)
    }
}
