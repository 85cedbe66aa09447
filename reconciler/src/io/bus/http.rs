//! The bus over HTTP, and the published tree.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::ReceiptCode;
use muster_schema::envelope::MAX_SIGNATURE_BYTES;
use muster_schema::message::{Body as MessageBody, Hint, MAX_MESSAGE_BYTES};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::inbound::{Inbound, Source};
use super::reply::Reply;
use crate::inbound::PublishedPath;

/// The content type of frames.
const FRAME_TYPE: &str = "application/vnd.muster.frame";
const MAX_FRAME_BYTES: usize = MAX_MESSAGE_BYTES + MAX_SIGNATURE_BYTES;
/// A fetch's proof: a message with one path.
const MAX_PROOF_BYTES: usize = 8 * 1024;
/// A whole body comes within this time, or the request is dropped.
const BODY_TIME: Duration = Duration::from_secs(15);
/// How long a hint is waited for.
const HINT_WAIT: Duration = Duration::from_secs(30);
const CHUNK: usize = 64 * 1024;

/// Put there by [`super::serve_http`].
type ClientAddress = Option<Extension<ConnectInfo<SocketAddr>>>;

#[derive(Clone)]
struct Served {
    inbound: Arc<Inbound>,
    tree: Arc<PathBuf>,
}

/// The routes for agents: `/agent/v1/messages`, `/agent/v1/hints` and the
/// published tree at `/published/`, whose top folder is `tree`.
///
/// Serve it by [`super::serve_http`]: limits by source need the client's
/// address, and slow heads need its timeout.
pub fn agent_router(inbound: Arc<Inbound>, tree: impl Into<PathBuf>) -> Router {
    Router::new()
        .route("/agent/v1/messages", post(take_message))
        .route("/agent/v1/hints", post(wait_for_hint))
        .route("/published/{*path}", get(send_published))
        .with_state(Served { inbound, tree: Arc::new(tree.into()) })
}

async fn take_message(
    State(served): State<Served>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match read_frame(&headers, body, MAX_FRAME_BYTES).await {
        Ok(frame) => answer(served.inbound.handle_frame(&frame, source(address)).await),
        Err(status) => status.into_response(),
    }
}

async fn wait_for_hint(
    State(served): State<Served>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let frame = match read_frame(&headers, body, MAX_PROOF_BYTES).await {
        Ok(frame) => frame,
        Err(status) => return status.into_response(),
    };
    let source = source(address);
    let sent = match served.inbound.verify_reader(&frame, source) {
        Ok(sent) => sent,
        Err(reply) => return answer(reply),
    };
    let MessageBody::HintRequest(request) = &sent.message().body else {
        let refusal = sent.refuse(ReceiptCode::WrongType, "a hint request is expected here");
        return answer(served.inbound.refuse(refusal, source));
    };
    let host = sent.host();
    tokio::select! {
        hint = served.inbound.hints().wait(&host.id, request.after, HINT_WAIT) => match hint {
            Some(hint) => axum::Json(Hint { hint }).into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        },
        frame = served.inbound.live().next_for(host) => ([(header::CONTENT_TYPE, FRAME_TYPE)], frame).into_response(),
    }
}

async fn send_published(
    State(served): State<Served>,
    address: ClientAddress,
    headers: HeaderMap,
    Path(path): Path<String>,
) -> Response {
    let Ok(published) = path.parse::<PublishedPath>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Err(reply) = check_reader(&served.inbound, &published, &path, &headers, source(address)) {
        return answer(reply);
    }
    match open_published(&served.tree.join(published.relative())).await {
        Ok(Some((file, length))) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::CONTENT_LENGTH, length.to_string()),
                (header::CACHE_CONTROL, "no-store".to_owned()),
                (HeaderName::from_static("x-content-type-options"), "nosniff".to_owned()),
            ];
            (headers, Body::from_stream(chunks(file, length))).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(path, %error, "a published file cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether the request's proof allows to read `published`.
fn check_reader(
    inbound: &Inbound,
    published: &PublishedPath,
    path: &str,
    headers: &HeaderMap,
    source: Source,
) -> Result<(), Reply> {
    if matches!(published, PublishedPath::Root(_)) {
        return Ok(());
    }
    let no_proof = |why: &str| Reply::Dropped(ReceiptCode::UnknownKey, why.to_owned());
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let proof = value.and_then(|value| value.strip_prefix("Muster ")).filter(|proof| proof.len() <= MAX_PROOF_BYTES);
    let proof = proof.ok_or_else(|| no_proof("a signed fetch is to stand in the header Authorization"))?;
    let frame = STANDARD.decode(proof).map_err(|_| no_proof("the proof is no base64"))?;
    let sent = inbound.verify_reader(&frame, source)?;
    let refuse = |code, why| Err(inbound.refuse(sent.refuse(code, why), source));
    let MessageBody::Fetch(fetch) = &sent.message().body else {
        return refuse(ReceiptCode::WrongType, "a fetch is expected here");
    };
    if fetch.path != path {
        return refuse(ReceiptCode::NotYours, "the proof is of another path");
    }
    match published {
        PublishedPath::Host(id, _) if *id != sent.host().id => refuse(ReceiptCode::NotYours, "it is another host's"),
        _ => Ok(()),
    }
}

/// Opens a file and tells its length; a file that is replaced meanwhile stays
/// the one that was opened.
async fn open_published(path: &std::path::Path) -> io::Result<Option<(File, u64)>> {
    let file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata().await?;
    Ok(metadata.is_file().then_some((file, metadata.len())))
}

/// Exactly `length` bytes of the file, or an error that breaks the connection.
fn chunks(file: File, length: u64) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    futures_util::stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
        file.read_exact(&mut chunk).await?;
        let left = left - chunk.len() as u64;
        Ok(Some((Bytes::from(chunk), (file, left))))
    })
}

/// The body, when it comes in time and is not larger than `limit`.
pub(super) async fn read_frame(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, StatusCode> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    match tokio::time::timeout(BODY_TIME, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn source(address: ClientAddress) -> Source {
    Source::Address(address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(ConnectInfo(address))| address.ip()))
}

fn answer(reply: Reply) -> Response {
    let frame_type = [(header::CONTENT_TYPE, FRAME_TYPE)];
    match reply {
        Reply::Taken(frame) => (frame_type, frame).into_response(),
        Reply::Refused(code, frame) => (status(code), frame_type, frame).into_response(),
        Reply::Dropped(code, message) => (status(code), format!("{code}: {message}\n")).into_response(),
    }
}

fn status(code: ReceiptCode) -> StatusCode {
    match code {
        ReceiptCode::Accepted | ReceiptCode::Pending => StatusCode::OK,
        ReceiptCode::Malformed | ReceiptCode::WrongType | ReceiptCode::WrongFleet | ReceiptCode::WrongRecipient => {
            StatusCode::BAD_REQUEST
        }
        ReceiptCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ReceiptCode::BadSignature
        | ReceiptCode::UnknownKey
        | ReceiptCode::KeyRevoked
        | ReceiptCode::Expired
        | ReceiptCode::FromFuture => StatusCode::UNAUTHORIZED,
        ReceiptCode::WrongHost
        | ReceiptCode::NotEnrolled
        | ReceiptCode::NotYours
        | ReceiptCode::WrongAgeRecipient
        | ReceiptCode::SuccessorInvalid
        | ReceiptCode::TokenUnknown
        | ReceiptCode::TokenInvalid
        | ReceiptCode::TokenExpired
        | ReceiptCode::WrongAnswer => StatusCode::FORBIDDEN,
        ReceiptCode::Replayed | ReceiptCode::NoChallenge | ReceiptCode::TokenUsed | ReceiptCode::TokenHostTaken => {
            StatusCode::CONFLICT
        }
        ReceiptCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ReceiptCode::EnrolmentFull | ReceiptCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}
