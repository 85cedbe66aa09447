//! The way to the orchestrator over HTTP: POST for messages, long polls for hints.
//!
//! ureq blocks, so each call runs on a thread of tokio's pool for blocking work;
//! that costs less memory than an asynchronous client (docs/adr/).

use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use muster_schema::envelope::MAX_SIGNATURE_BYTES;
use muster_schema::message::{Hint, MAX_MESSAGE_BYTES};
use ureq::config::ConfigBuilder;
use ureq::http::{Response, StatusCode, Uri};
use ureq::typestate::AgentScope;
use ureq::{Agent, Body};

use super::tls::{TlsError, TlsFiles};
use super::transport::{Fetched, HINT_WAIT_SECONDS, Transport, TransportError, Waited};
use crate::message::SignedMessage;

/// The content type of frames.
const FRAME_TYPE: &str = "application/vnd.muster.frame";
const MAX_FRAME_BYTES: usize = MAX_MESSAGE_BYTES + MAX_SIGNATURE_BYTES;
const MAX_HINT_BYTES: usize = 1024;
/// What a connection that is kept holds, once for each direction.
const BUFFER_BYTES: usize = 16 << 10;
const CONNECT: Duration = Duration::from_secs(10);
/// The orchestrator answers within 20 s or says that it is busy.
const REQUEST: Duration = Duration::from_secs(30);
/// A file comes at this rate at least, or a drip feed would hold us for ever.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 * 1024;

/// The orchestrator behind one base URL.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    base: String,
    tls: Arc<TlsFiles>,
    /// Shared with those that a call works with on another thread.
    agent: Arc<RwLock<Agent>>,
}

impl HttpTransport {
    /// Uses the orchestrator at `url`, such as `https://muster.example:8443`.
    ///
    /// # Errors
    /// When it is no `http` or `https` URL, or holds credentials, a query or a fragment.
    pub fn new(url: &str) -> Result<Self, TransportError> {
        HttpTransport::with_tls(url, TlsFiles::default())
    }

    /// Uses the orchestrator at `url`, with these files where that is an `https` URL.
    ///
    /// # Errors
    /// As [`HttpTransport::new`], and when a file cannot be used.
    pub fn with_tls(url: &str, tls: TlsFiles) -> Result<Self, TransportError> {
        let bad = |reason| TransportError::BadAddress(url.to_owned(), reason);
        let uri: Uri = url.parse().map_err(|_| bad("it is no URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad("it does not start with http:// or https://"));
        }
        if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(bad("it has no host, or credentials before it"));
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(bad("it has a query or a fragment"));
        }
        let agent = Arc::new(RwLock::new(new_agent(url, &tls)?));
        Ok(HttpTransport { base: url.trim_end_matches('/').to_owned(), tls: Arc::new(tls), agent })
    }

    /// The files for TLS.
    pub fn tls(&self) -> &TlsFiles {
        &self.tls
    }

    /// The next call makes a new connection, by the certificates as they are then.
    fn renew(&self) {
        match new_agent(&self.base, &self.tls) {
            Ok(agent) => *self.agent.write().unwrap_or_else(PoisonError::into_inner) = agent,
            Err(error) => tracing::warn!(error = &error as &dyn Error, "the old certificates are used on"),
        }
    }

    fn agent(&self) -> Agent {
        self.agent.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(HttpTransport) -> Result<T, TransportError> + Send + 'static,
    ) -> Result<T, TransportError> {
        let this = self.clone();
        match tokio::task::spawn_blocking(move || call(this)).await {
            Ok(result) => result,
            Err(source) => Err(TransportError::Unreachable { endpoint: self.base.clone(), source: source.into() }),
        }
    }

    fn post(&self, path: &str, frame: &[u8], timeout: Duration) -> Result<Response<Body>, TransportError> {
        let request = self.agent().post(format!("{}{path}", self.base)).content_type(FRAME_TYPE);
        let response = request.config().timeout_global(Some(timeout)).build().send(frame);
        self.check_plain(response.map_err(|source| self.failed(source))?)
    }

    fn get(&self, path: &str, proof: Option<&[u8]>, timeout: Duration) -> Result<Response<Body>, TransportError> {
        let mut request = self.agent().get(format!("{}/published/{path}", self.base));
        if let Some(frame) = proof {
            request = request.header("authorization", format!("Muster {}", STANDARD.encode(frame)));
        }
        let response = request.config().timeout_global(Some(timeout)).build().call();
        self.check_plain(response.map_err(|source| self.failed(source))?)
    }

    /// Refuses a compressed answer: its size says nothing of what it holds.
    fn check_plain(&self, response: Response<Body>) -> Result<Response<Body>, TransportError> {
        match response.headers().get("content-encoding") {
            None => Ok(response),
            Some(value) if value == "identity" => Ok(response),
            Some(_) => {
                let reason = "it is compressed, though plain bytes were asked for";
                Err(TransportError::Form { endpoint: self.base.clone(), reason })
            }
        }
    }

    fn is_frame(&self, response: &Response<Body>) -> bool {
        response.headers().get("content-type").is_some_and(|value| value == FRAME_TYPE)
    }

    /// The frame that an answer of any status holds.
    fn frame_of(&self, response: Response<Body>) -> Result<Vec<u8>, TransportError> {
        if !self.is_frame(&response) {
            let status = response.status().as_u16();
            return Err(TransportError::Status { endpoint: self.base.clone(), status });
        }
        self.bytes_of(response, "the answer", MAX_FRAME_BYTES)
    }

    fn bytes_of(&self, response: Response<Body>, path: &str, cap: usize) -> Result<Vec<u8>, TransportError> {
        let too_large = || TransportError::TooLarge { path: path.to_owned(), cap };
        let limit = u64::try_from(cap).unwrap_or(u64::MAX);
        if response.body().content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        // The reader counts a body of exactly the limit as too long.
        let body = response.into_body().into_with_config().limit(limit.saturating_add(1));
        match body.read_to_vec() {
            Ok(bytes) if bytes.len() > cap => Err(too_large()),
            Ok(bytes) => Ok(bytes),
            Err(ureq::Error::BodyExceedsLimit(_)) => Err(too_large()),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn failed(&self, source: ureq::Error) -> TransportError {
        let endpoint = self.base.clone();
        let timed_out = |error: &(dyn Error + 'static)| {
            matches!(error.downcast_ref(), Some(ureq::Error::Timeout(_)))
                || error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut)
        };
        if *self.tls != TlsFiles::default() && !matches!(source, ureq::Error::Timeout(_)) {
            self.renew();
        }
        match source {
            source if timed_out(&source) => TransportError::TimedOut { endpoint },
            ureq::Error::Io(source) if timed_out(&source) => TransportError::TimedOut { endpoint },
            source => TransportError::Unreachable { endpoint, source: source.into() },
        }
    }
}

/// A client without connections.
fn new_agent(url: &str, tls: &TlsFiles) -> Result<Agent, TlsError> {
    let mut config = client_config();
    if url.starts_with("https:") {
        config = config.tls_config(tls.for_http()?);
    }
    Ok(config.build().new_agent())
}

/// What all HTTP of the agent has in common: whom it trusts in TLS, its name, plain bytes, no redirects.
pub(crate) fn client_config() -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(CONNECT))
        .user_agent(concat!("muster-agent/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .input_buffer_size(BUFFER_BYTES)
        .output_buffer_size(BUFFER_BYTES)
}

impl Transport for HttpTransport {
    fn forget_connections(&self) -> BoxFuture<'_, ()> {
        self.renew();
        std::future::ready(()).boxed()
    }

    fn request<'a>(&'a self, message: &'a SignedMessage) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        let frame = message.frame.clone();
        self.blocking(move |http| http.frame_of(http.post("/agent/v1/messages", &frame, REQUEST)?)).boxed()
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        proof: Option<&'a SignedMessage>,
        cap: usize,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>> {
        let (path, proof) = (path.to_owned(), proof.map(|proof| proof.frame.clone()));
        let timeout = REQUEST + Duration::from_secs(cap as u64 / SLOWEST_BYTES_PER_SECOND);
        let call = move |http: HttpTransport| {
            let response = http.get(&path, proof.as_deref(), timeout)?;
            match response.status() {
                StatusCode::OK => http.bytes_of(response, &path, cap).map(Fetched::File),
                StatusCode::NOT_FOUND => Ok(Fetched::Missing),
                _ => http.frame_of(response).map(Fetched::Refused),
            }
        };
        self.blocking(call).boxed()
    }

    fn wait_for_hint<'a>(&'a self, proof: &'a SignedMessage) -> BoxFuture<'a, Result<Waited, TransportError>> {
        let frame = proof.frame.clone();
        let timeout = REQUEST + Duration::from_secs(HINT_WAIT_SECONDS);
        let call = move |http: HttpTransport| {
            let response = http.post("/agent/v1/hints", &frame, timeout)?;
            match response.status() {
                StatusCode::NO_CONTENT => Ok(Waited::Nothing),
                StatusCode::OK if http.is_frame(&response) => {
                    http.bytes_of(response, "the request", MAX_FRAME_BYTES).map(Waited::Request)
                }
                StatusCode::OK => {
                    let bytes = http.bytes_of(response, "the hint", MAX_HINT_BYTES)?;
                    let hint: Hint = serde_json::from_slice(&bytes)
                        .map_err(|_| TransportError::Form { endpoint: http.base.clone(), reason: "it is no hint" })?;
                    Ok(Waited::Hint(hint))
                }
                _ => http.frame_of(response).map(Waited::Refused),
            }
        };
        self.blocking(call).boxed()
    }
}
