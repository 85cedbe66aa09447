//! Serves HTTP within limits: the number of connections, and the time that a
//! client may take to ask.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::places::Places;
use crate::io::tls::ServerTls;

/// What clients may take.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Connections at once; more are closed at once.
    pub connections: usize,
    /// Connections at once of one address; this machine's own have no such limit.
    pub per_address: usize,
    /// The time for a whole request head, and between two requests.
    pub head: Duration,
    /// How long a client may leave what was sent to it unread.
    pub unread: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            connections: 16_384,
            per_address: 2_048,
            head: Duration::from_secs(15),
            unread: Duration::from_secs(60),
        }
    }
}

/// After a failed accept (out of file descriptors, say), before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests under way may go on after the end was called.
const GRACE: Duration = Duration::from_secs(2);

/// Of a request: the client showed a certificate that the authority of hosts signed.
#[derive(Debug, Clone, Copy)]
pub struct ClientCertificate;

/// Refuses requests to `router` of clients that showed no certificate.
pub fn require_client_certificate(router: Router) -> Router {
    let check = async |request: axum::extract::Request, next: Next| match request.extensions().get() {
        Some(ClientCertificate) => next.run(request).await,
        None => (StatusCode::FORBIDDEN, "a client certificate is needed here\n").into_response(),
    };
    router.layer(axum::middleware::from_fn(check))
}

/// Serves `router` on `listener` until `end` comes, over TLS where that is given. Handlers find the client's
/// address as [`ConnectInfo`], and [`ClientCertificate`] where it showed one.
pub async fn serve_http(
    listener: TcpListener,
    router: Router,
    limits: HttpLimits,
    tls: Option<Arc<ServerTls>>,
    end: impl Future<Output = ()>,
) {
    let places = Places::new(limits);
    let (ending, ended) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, address)) => {
                let Some(place) = places.take(address.ip()) else {
                    tracing::debug!(%address, "too many connections; one was closed");
                    continue;
                };
                let client = Client { address, router: router.clone(), limits, ended: ended.clone() };
                let config = tls.as_ref().map(|tls| tls.config());
                connections.spawn(async move {
                    client.begin(stream, config).await;
                    drop(place);
                });
            }
            Err(error) => {
                if !is_of_connection(&error) {
                    tracing::warn!(%error, "no connection can be accepted now");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    ending.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all).await;
}

/// Who connected.
struct Client {
    address: SocketAddr,
    router: Router,
    limits: HttpLimits,
    ended: watch::Receiver<bool>,
}

impl Client {
    /// Shakes hands where that is asked for, within the time for a request's head, and serves.
    async fn begin(self, stream: TcpStream, tls: Option<Arc<ServerConfig>>) {
        let (address, limits) = (self.address, self.limits);
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        // Also ends a connection whose client is gone, or never reads.
        let unread = u32::try_from(limits.unread.as_millis()).unwrap_or(u32::MAX);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, unread);
        let Some(config) = tls else {
            return self.serve(stream, None).await;
        };
        match tokio::time::timeout(limits.head, TlsAcceptor::from(config).accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().map(|_| ClientCertificate);
                self.serve(stream, shown).await;
            }
            Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS"),
            Err(_) => tracing::debug!(%address, "TLS took too long"),
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin, shown: Option<ClientCertificate>) {
        let Client { address, router, limits, mut ended } = self;
        let service = TowerToHyperService::new(router);
        let with_address = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            if let Some(shown) = shown {
                request.extensions_mut().insert(shown);
            }
            let answer = hyper::service::Service::call(&service, request);
            async move { answer.await.map_err(|never: Infallible| never) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .serve_connection(TokioIo::new(stream), with_address);
        tokio::pin!(connection);
        let end = async move {
            let _ = ended.wait_for(|ended| *ended).await;
        };
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = end => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%address, %error, "a connection ended early");
        }
    }
}

/// Whether the fault is of one connection that is gone already.
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
