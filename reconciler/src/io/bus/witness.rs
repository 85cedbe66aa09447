//! The door for witnesses: what is to be signed, and signatures. Both prove themselves.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use muster_schema::envelope::MAX_SIGNATURE_BYTES;
use muster_schema::{HostId, Sha256Digest};
use tokio::sync::{mpsc, oneshot};

use super::http::read_frame;
use crate::witness::{MAX_REQUEST_BYTES, PendingManifest};

/// What a witness wants of the cycle.
#[derive(Debug)]
pub enum WitnessCall {
    /// To know what it has not signed.
    Pending {
        /// Its signed request.
        frame: Vec<u8>,
        /// Told the answer, or why there is none.
        respond: oneshot::Sender<Result<Vec<PendingManifest>, String>>,
    },
    /// To give a signature.
    Sign {
        /// The host.
        host: HostId,
        /// The manifest.
        manifest: Sha256Digest,
        /// The text of the signature.
        signature: Vec<u8>,
        /// Told whether the manifest was still there to be signed, or why the signature is refused.
        respond: oneshot::Sender<Result<bool, String>>,
    },
}

/// The routes for witnesses: `/witness/v1/pending` and `/witness/v1/hosts/<id>/<sha256>`. Calls that find no place are
/// refused, so that nobody fills the memory.
pub fn witness_router(calls: mpsc::Sender<WitnessCall>) -> Router {
    Router::new()
        .route("/witness/v1/pending", post(list_pending))
        .route("/witness/v1/hosts/{host}/{manifest}", post(take_signature))
        .with_state(calls)
}

async fn list_pending(State(calls): State<mpsc::Sender<WitnessCall>>, headers: HeaderMap, body: Body) -> Response {
    let frame = match read_frame(&headers, body, MAX_REQUEST_BYTES + MAX_SIGNATURE_BYTES).await {
        Ok(frame) => frame.to_vec(),
        Err(status) => return status.into_response(),
    };
    let (respond, answer) = oneshot::channel();
    if calls.try_send(WitnessCall::Pending { frame, respond }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answer.await {
        Ok(Ok(pending)) => axum::Json(pending).into_response(),
        Ok(Err(why)) => (StatusCode::UNAUTHORIZED, why + "\n").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn take_signature(
    State(calls): State<mpsc::Sender<WitnessCall>>,
    Path((host, manifest)): Path<(HostId, Sha256Digest)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let signature = match read_frame(&headers, body, MAX_SIGNATURE_BYTES).await {
        Ok(signature) => signature.to_vec(),
        Err(status) => return status.into_response(),
    };
    let (respond, answer) = oneshot::channel();
    if calls.try_send(WitnessCall::Sign { host, manifest, signature, respond }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answer.await {
        Ok(Ok(true)) => StatusCode::NO_CONTENT.into_response(),
        Ok(Ok(false)) => StatusCode::GONE.into_response(),
        Ok(Err(why)) => (StatusCode::FORBIDDEN, why + "\n").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
