//! The chain of roots, from the pinned one to the newest. Each hop is kept before the next is looked for.

use super::{Cycle, CycleError, POLL, next_pause};
use crate::accepted::{commit_root, load_root};
use crate::io::messenger::Messenger;
use crate::io::transport::{Fetched, Transport, TransportError};
use crate::store::Store;
use crate::verify::{Reject, RejectCode};
use muster_schema::Sha256Digest;
use muster_schema::envelope::{MAX_SIGNATURE_BYTES, Signature};
use muster_schema::json;
use muster_schema::root::{MAX_ROOT_BYTES, Root, VerifiedRoot};
use std::time::Duration;

/// As many roots as one look may climb.
const MAX_HOPS: u64 = 1_000;

/// The newest root that can be reached: of the store, or from the pinned one. Waits for contact.
pub(super) async fn trust_root(cycle: &Cycle) -> Result<VerifiedRoot, CycleError> {
    let mut pause = Duration::ZERO;
    loop {
        let found = match load_root(&cycle.store)? {
            Some(root) => Ok(Some(root)),
            None => find_pinned(cycle.transport.as_ref(), cycle.fingerprint, &cycle.store).await,
        };
        match found {
            Ok(Some(root)) => return Ok(root),
            Ok(None) => tracing::warn!(fingerprint = %cycle.fingerprint, "no root document of the pinned fingerprint"),
            Err(CycleError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "no root document yet"),
        }
        pause = next_pause(pause);
        tokio::time::sleep(pause).await;
    }
}

/// Climbs to the newest root. `root` is where it came to, also where that was not the newest.
///
/// # Errors
/// When there is no contact, or the store refuses. A root that does not stand is reported and not followed.
pub(super) async fn climb(cycle: &Cycle, root: &mut VerifiedRoot) -> Result<(), CycleError> {
    let transport = cycle.transport.as_ref();
    for _ in 0..MAX_HOPS {
        let name = format!("{}.root.json", root.root().version.saturating_add(1));
        let Some(bytes) = fetch(transport, &name, MAX_ROOT_BYTES).await? else { return Ok(()) };
        let signatures = fetch_signatures(transport, &name, &bytes, Some(root.root())).await?;
        match root.next(&bytes, &signatures) {
            Ok(next) => {
                commit_root(&cycle.store, &next, &signatures)?;
                tracing::info!(version = next.root().version, "followed the root");
                *root = next;
            }
            Err(error) => {
                let reject = Reject::new(RejectCode::RootInvalid, format_args!("{name}: {error}"));
                tracing::warn!(%reject, "root refused");
                return Ok(cycle.note_refusal(&reject)?);
            }
        }
    }
    Ok(())
}

/// Climbs while the host waits for approval: the keys that answer it may be those of a newer root.
pub(super) async fn climb_for_ever(
    cycle: &Cycle,
    messenger: &Messenger,
    root: &VerifiedRoot,
) -> Result<(), CycleError> {
    let mut root = root.clone();
    loop {
        match climb(cycle, &mut root).await {
            Ok(()) => {}
            Err(CycleError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "the root cannot be climbed"),
        }
        messenger.set_fresh_keys(root.root().roles.fresh.keys.clone());
        tokio::time::sleep(POLL).await;
    }
}

/// The root of the pinned fingerprint: the newest, or one of those before it.
async fn find_pinned(
    transport: &dyn Transport,
    pinned: Sha256Digest,
    store: &Store,
) -> Result<Option<VerifiedRoot>, CycleError> {
    let mut name = "root.json".to_owned();
    for version in 1..MAX_HOPS {
        let Some(bytes) = fetch(transport, &name, MAX_ROOT_BYTES).await? else { return Ok(None) };
        if Sha256Digest::of(&bytes) == pinned {
            let signatures = fetch_signatures(transport, &name, &bytes, None).await?;
            let Ok(root) = VerifiedRoot::pinned(&bytes, &signatures, pinned) else { return Ok(None) };
            commit_root(store, &root, &signatures)?;
            return Ok(Some(root));
        }
        name = format!("{version}.root.json");
    }
    Ok(None)
}

/// The signatures by keys that may count: those of the document's own root role, and of the one before it. What the
/// document says is only believed for their names.
async fn fetch_signatures(
    transport: &dyn Transport,
    name: &str,
    bytes: &[u8],
    before: Option<&Root>,
) -> Result<Vec<Signature>, CycleError> {
    let own = json::load_strict::<Root>(bytes, MAX_ROOT_BYTES).ok();
    let mut signatures = Vec::new();
    let roles = [own.as_ref(), before].into_iter().flatten().map(|root| &root.roles.root);
    let mut keys: Vec<_> = roles.flat_map(|role| role.keys.iter().map(|key| key.id())).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let text = fetch(transport, &format!("{name}.{key}.minisig"), MAX_SIGNATURE_BYTES).await?;
        signatures.extend(text.and_then(|text| Signature::load(&text).ok()));
    }
    Ok(signatures)
}

async fn fetch(transport: &dyn Transport, path: &str, cap: usize) -> Result<Option<Vec<u8>>, TransportError> {
    Ok(match transport.fetch(path, None, cap).await? {
        Fetched::File(bytes) => Some(bytes),
        Fetched::Missing | Fetched::Refused(_) => None,
    })
}
