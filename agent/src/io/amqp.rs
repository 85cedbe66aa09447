//! The way to the orchestrator over an AMQP broker. Files still come by HTTP.
//!
//! A connection is made when it is needed and lost, and never mended: whoever
//! waits on it is told, and the next call makes a new one. (lapin can recover by
//! itself, but says nothing while it does, so that nobody would know of contact lost.)

mod session;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};
use muster_schema::bus::{BrokerUser, InboundQueue, enrolment_reply_queue, leaves_this_machine, reply_queue};
use muster_schema::{HostId, KeyId};
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use self::session::Session;
use super::host_keys::HostKeys;
use super::http::HttpTransport;
use super::transport::{Fetched, HINT_WAIT_SECONDS, Transport, TransportError, Waited};
use crate::message::SignedMessage;

/// Default frames cost lapin 7.8 MiB a connection, these 123 KiB.
const FRAME_MAX: u32 = 8192;
/// A dead broker is noticed within two of these.
const HEARTBEAT_SECONDS: u16 = 15;
const CONNECT: Duration = Duration::from_secs(15);
/// An orchestrator that was killed answers nothing of what it had taken. It answers in milliseconds; whoever asks waits
/// longer from try to try.
const REPLY: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The broker for messages and hints, HTTP for files.
///
/// Where the URL names the user that a fleet's hosts share until they are enrolled, only enrolment goes by it, and all
/// else by the host's own user. Any other user does both.
pub struct AmqpTransport {
    http: HttpTransport,
    uri: AMQPUri,
    endpoint: String,
    key: KeyId,
    /// Of the host's own user.
    password: Zeroizing<String>,
    shared: Mutex<Link>,
    own: Mutex<Link>,
}

/// A connection, and how long to leave a broker alone that failed us.
struct Link {
    /// With the user that it is of.
    session: Option<(String, Arc<Session>)>,
    pause: Duration,
    not_before: Instant,
}

/// As whom to speak to the broker.
struct Login {
    user: String,
    uri: AMQPUri,
    reply_queue: String,
    is_own: bool,
}

impl Link {
    fn new() -> Self {
        Link { session: None, pause: Duration::ZERO, not_before: Instant::now() }
    }
}

impl AmqpTransport {
    /// Speaks by the broker at `url`, `amqp://user:password@host:port/vhost`, as
    /// the host with these keys; fetches by `http`.
    ///
    /// # Errors
    /// When `url` is no AMQP URL, or one of TLS and `http` has no CA file.
    pub fn new(url: &str, http: HttpTransport, keys: &HostKeys) -> Result<Self, TransportError> {
        // The text may hold a password, so it is not repeated.
        let bad = || TransportError::BadAddress("the broker's URL".to_owned(), "it is no amqp:// or amqps:// URL");
        let mut uri: AMQPUri = url.parse().map_err(|_| bad())?;
        if uri.scheme == AMQPScheme::AMQPS && http.tls().ca.is_none() {
            let reason = "amqps:// needs the setting ca: whose certificates to trust";
            return Err(TransportError::BadAddress("the broker's URL".to_owned(), reason));
        }
        if uri.scheme == AMQPScheme::AMQP && leaves_this_machine(&uri.authority.host) {
            let broker = &uri.authority.host;
            tracing::warn!(broker, "no TLS: who is on the way to the broker can read the password and all messages");
        }
        uri.query.frame_max = Some(FRAME_MAX);
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        let endpoint = format!("{}://{}:{}/{}", uri.scheme, uri.authority.host, uri.authority.port, uri.vhost);
        let (key, password) = (keys.public_key().id(), keys.broker_password());
        let (shared, own) = (Mutex::new(Link::new()), Mutex::new(Link::new()));
        Ok(AmqpTransport { http, uri, endpoint, key, password, shared, own })
    }

    /// As whom `host` sends to `queue`.
    fn login(&self, host: &HostId, queue: Option<InboundQueue>) -> Login {
        let mut uri = self.uri.clone();
        let random = getrandom::u64().unwrap_or_default();
        let user = uri.authority.userinfo.username.clone();
        let own = BrokerUser::host_beside(&user, host);
        match own.filter(|_| queue != Some(InboundQueue::Enrol)) {
            Some(own) => {
                uri.authority.userinfo.username = own.clone();
                uri.authority.userinfo.password = self.password.to_string();
                Login { user: own, uri, reply_queue: reply_queue(self.key, random), is_own: true }
            }
            None if BrokerUser::host_beside(&user, host).is_some() => {
                Login { user, uri, reply_queue: enrolment_reply_queue(self.key, random), is_own: false }
            }
            None => Login { user, uri, reply_queue: reply_queue(self.key, random), is_own: false },
        }
    }

    /// The connection that is there, or a new one.
    async fn session(&self, login: Login) -> Result<Arc<Session>, TransportError> {
        let Login { user, uri, reply_queue, is_own } = login;
        let mut link = if is_own { self.own.lock().await } else { self.shared.lock().await };
        if let Some((_, session)) = link.session.as_ref().filter(|(of, session)| *of == user && session.is_open()) {
            return Ok(session.clone());
        }
        end(&mut link).await;
        tokio::time::sleep_until(link.not_before).await;
        let tls = match uri.scheme {
            AMQPScheme::AMQPS => self.http.tls().for_amqp()?,
            AMQPScheme::AMQP => OwnedTLSConfig::default(),
        };
        let opened = tokio::time::timeout(CONNECT, Session::open(uri, tls, self.key, reply_queue)).await;
        let opened = match opened {
            Ok(opened) => opened.map_err(|error| self.unreachable(error.of_user(&user))),
            Err(_) => Err(self.timed_out()),
        };
        match opened {
            Ok(session) => {
                // One that breaks at once is a failure too, or it would be tried without a pause.
                link.not_before = Instant::now() + FIRST_PAUSE;
                link.pause = Duration::ZERO;
                let session = Arc::new(session);
                link.session = Some((user, session.clone()));
                drop(link);
                if is_own {
                    // Enrolment is over.
                    end(&mut *self.shared.lock().await).await;
                }
                Ok(session)
            }
            Err(error) => {
                link.pause = (link.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                link.not_before = Instant::now() + jitter(link.pause);
                Err(error)
            }
        }
    }

    async fn ask(&self, message: &SignedMessage) -> Result<Vec<u8>, TransportError> {
        let reason = "messages of this type do not go by a broker";
        let queue = InboundQueue::of(message.body_type)
            .ok_or_else(|| TransportError::Form { endpoint: self.endpoint.clone(), reason })?;
        let session = self.session(self.login(&message.host, Some(queue))).await?;
        match tokio::time::timeout(REPLY, session.ask(message, queue)).await {
            Ok(Ok(frame)) => Ok(frame),
            Ok(Err(error)) => Err(self.unreachable(error)),
            Err(_) => Err(self.timed_out()),
        }
    }

    async fn wait(&self, message: &SignedMessage) -> Result<Waited, TransportError> {
        let session = self.session(self.login(&message.host, None)).await?;
        let listening = tokio::time::timeout(CONNECT, session.listen(&message.host)).await;
        listening.map_err(|_| self.timed_out())?.map_err(|error| self.unreachable(error))?;
        match tokio::time::timeout(Duration::from_secs(HINT_WAIT_SECONDS), session.next()).await {
            Ok(Ok(waited)) => Ok(waited),
            Ok(Err(error)) => Err(self.unreachable(error)),
            Err(_) => Ok(Waited::Nothing),
        }
    }

    fn unreachable(&self, error: session::SessionError) -> TransportError {
        TransportError::Unreachable { endpoint: self.endpoint.clone(), source: Box::new(error) }
    }

    fn timed_out(&self) -> TransportError {
        TransportError::TimedOut { endpoint: self.endpoint.clone() }
    }
}

impl Transport for AmqpTransport {
    fn forget_connections(&self) -> BoxFuture<'_, ()> {
        async {
            end(&mut *self.own.lock().await).await;
            end(&mut *self.shared.lock().await).await;
            self.http.forget_connections().await;
        }
        .boxed()
    }

    fn request<'a>(&'a self, message: &'a SignedMessage) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        self.ask(message).boxed()
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
        self.wait(proof).boxed()
    }
}

/// Ends the connection that is there.
async fn end(link: &mut Link) {
    if let Some((_, session)) = link.session.take() {
        session.end().await;
    }
}

/// Between half of `pause` and all of it: ten thousand agents do not come back at once.
fn jitter(pause: Duration) -> Duration {
    let half = pause / 2;
    let random = getrandom::u32().unwrap_or(u32::MAX);
    half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
}
