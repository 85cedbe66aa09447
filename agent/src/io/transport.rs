//! The way to the orchestrator: one port, over HTTP or over AMQP.

use futures_util::future::BoxFuture;
use muster_schema::message::Hint;

use crate::message::SignedMessage;

/// The longest that [`Transport::wait_for_hint`] waits, in seconds.
pub const HINT_WAIT_SECONDS: u64 = 30;

/// Carries frames. It is not trusted: it can lose, delay and repeat them.
pub trait Transport: Send + Sync {
    /// Sends a message and waits for the frame of its reply.
    ///
    /// When this fails, the message may have arrived or not: send it again.
    fn request<'a>(&'a self, message: &'a SignedMessage) -> BoxFuture<'a, Result<Vec<u8>, TransportError>>;

    /// Fetches a file of the published tree, of at most `cap` bytes. `proof` is
    /// a signed [`muster_schema::message::Fetch`] of the same path; the root
    /// document needs none.
    fn fetch<'a>(
        &'a self,
        path: &'a str,
        proof: Option<&'a SignedMessage>,
        cap: usize,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>>;

    /// Waits for a hint that there is something new, or for a live request, at most
    /// [`HINT_WAIT_SECONDS`]. `proof` is a signed
    /// [`muster_schema::message::HintRequest`].
    fn wait_for_hint<'a>(&'a self, proof: &'a SignedMessage) -> BoxFuture<'a, Result<Waited, TransportError>>;

    /// The next request makes a new connection: the host may have changed what new ones meet.
    fn forget_connections(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// What came of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The file.
    File(Vec<u8>),
    /// There is none of that name.
    Missing,
    /// The frame of a receipt that says why not.
    Refused(Vec<u8>),
}

/// What came of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// There is something new.
    Hint(Hint),
    /// The frame of a live request.
    Request(Vec<u8>),
    /// The time is over.
    Nothing,
    /// The frame of a receipt that says why not.
    Refused(Vec<u8>),
}

/// Why a transport did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The other end cannot be reached, or the connection broke.
    #[error("{endpoint} cannot be reached")]
    Unreachable {
        /// Address, without credentials.
        endpoint: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer came in time.
    #[error("{endpoint} did not answer in time")]
    TimedOut {
        /// Address, without credentials.
        endpoint: String,
    },
    /// Something answered that is not the orchestrator.
    #[error("{endpoint} answered with status {status} and no message")]
    Status {
        /// Address, without credentials.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// The answer is of a form that is never sent.
    #[error("{endpoint} answered in an unknown form: {reason}")]
    Form {
        /// Address, without credentials.
        endpoint: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The file has more bytes than were allowed.
    #[error("{path} has more than {cap} bytes")]
    TooLarge {
        /// Of the file.
        path: String,
        /// Bytes allowed.
        cap: usize,
    },
    /// A certificate or key of the agent's settings cannot be used.
    #[error("TLS cannot be set up")]
    Tls(#[from] super::tls::TlsError),
    /// The address cannot be used.
    #[error("{0:?} is not an address of the orchestrator: {1}")]
    BadAddress(String, &'static str),
}
