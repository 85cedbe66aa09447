//! The agent's API on a unix socket: HTTP/1.1 for root, and for whom the agent itself runs as.
#![allow(clippy::disallowed_methods, reason = "makes the socket and its folder")]

use std::convert::Infallible;
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use muster_schema::api::{JSON_TYPE, Method, PROBLEM_TYPE, Problem, ProblemReason};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::rest::{Answer, Rest};

#[cfg(test)]
mod tests;

/// Connections at once.
const MOST: usize = 16;
/// A head that does not come in time, or the next request.
const HEAD: Duration = Duration::from_secs(15);
/// The buffer of a connection; a head is a line or two.
const BUFFER: usize = 32 * 1024;
/// After a failed accept, before the next.
const PAUSE: Duration = Duration::from_millis(200);

/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("no API at {path}", path = path.display())]
pub struct SocketError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Makes the socket at `path`, for its owner alone, and the folder that it is in. One that an earlier run left gives
/// way; anything else there stays.
///
/// # Errors
/// When something else stands there, or the system refuses.
pub fn bind_socket(path: &Path) -> Result<UnixListener, SocketError> {
    let bind = || -> io::Result<UnixListener> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        }
        match std::fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => return Err(io::ErrorKind::AlreadyExists.into()),
            _ => {}
        }
        // Nobody is to reach it before it has its mode.
        let fresh = path.with_extension("new");
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&fresh)?;
        std::fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
        std::fs::rename(&fresh, path)?;
        Ok(listener)
    };
    bind().map_err(|source| SocketError { path: path.to_owned(), source })
}

/// Answers whoever may ask, for ever.
pub async fn serve_socket(listener: UnixListener, rest: Arc<Rest>) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) if may_ask(&stream) => {
                let rest = rest.clone();
                tokio::spawn(async move {
                    serve_connection(stream, rest).await;
                    drop(place);
                });
            }
            Ok(_) => tracing::warn!("somebody who is neither root nor the agent's user was refused at the API"),
            Err(error) => {
                tracing::warn!(%error, "no connection to the API can be accepted now");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The mode of the socket says it too; this also holds when somebody widened that.
fn may_ask(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == own)
}

async fn serve_connection(stream: UnixStream, rest: Arc<Rest>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let rest = rest.clone();
        async move { Ok::<_, Infallible>(respond(&request, &rest).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection to the API ended early");
    }
}

async fn respond(request: &Request<Incoming>, rest: &Arc<Rest>) -> Response<String> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let answer = match request.method().as_str() {
        "GET" => rest.answer_local(Method::Get, target).await,
        "POST" => rest.answer_local(Method::Post, target).await,
        other => {
            let problem = Problem::new(ProblemReason::WrongMethod, format!("{other} is not known here"));
            Answer::from(&problem.with_hint("what is managed is changed by a commit to the state repository"))
        }
    };
    let good = answer.status == 200;
    let mut response = Response::new(answer.body + "\n");
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(if good { JSON_TYPE } else { PROBLEM_TYPE }));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if answer.status == ProblemReason::WrongMethod.status() {
        headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}
