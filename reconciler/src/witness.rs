//! Witnesses: manifests that are rendered anew on another machine, and signed there. Pure.

use muster_schema::envelope::{Signature, split_frame};
use muster_schema::manifest::{HostIdentity, Renderer, Source};
use muster_schema::{FleetName, HostId, PublicKey, Sha256Digest, Timestamp, json};
use serde::{Deserialize, Serialize};

use crate::bundle::{Origin, pack_manifest};
use crate::model::Model;
use crate::render::{FactsOfFleet, NotRendered, RenderedHost, render_host};
use crate::status::FleetStatus;
use muster_schema::document::OnRetire;

/// The largest request of a witness, in bytes.
pub const MAX_REQUEST_BYTES: usize = 4096;

/// How far a witness's clock may be off.
const MAX_OFF: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// What a witness asks: which manifests it is to sign. It signs the question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessRequest {
    /// Always `witness_request`.
    pub r#type: WitnessRequestType,
    /// The fleet.
    pub fleet: FleetName,
    /// When it was signed.
    pub issued: Timestamp,
}

/// The type of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WitnessRequestType {
    /// The only value.
    #[serde(rename = "witness_request")]
    Is,
}

/// A manifest that is to be signed: all that its bytes follow from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingManifest {
    /// The host.
    pub host: HostIdentity,
    /// The digest of its bytes.
    pub manifest: Sha256Digest,
    /// Its epoch.
    pub epoch: u64,
    /// Its serial.
    pub serial: u64,
    /// What it was rendered from.
    pub source: Source,
    /// What rendered it.
    pub renderer: Renderer,
}

/// Why a witness does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWitnessed {
    /// It cannot be told yet.
    #[error("it waits for {0}")]
    Waits(String),
    /// It was rendered by another version.
    #[error("it was rendered by muster {theirs}; this is {ours}")]
    OtherVersion {
        /// The orchestrator's.
        theirs: String,
        /// This one.
        ours: &'static str,
    },
    /// It is not what the repository comes to.
    #[error("{0}")]
    Differs(String),
}

/// Which key asks, of those that are witnesses, as of `now`.
///
/// # Errors
/// In words, when none does.
pub fn verify_request(
    frame: &[u8],
    fleet: &FleetName,
    witnesses: &[PublicKey],
    now: Timestamp,
) -> Result<PublicKey, String> {
    let (signature, bytes) = split_frame(frame).map_err(|error| error.to_string())?;
    let key = witnesses.iter().find(|key| signature.verify(bytes, key).is_ok());
    let key = key.ok_or("no witness of the newest root document signed it")?;
    let request: WitnessRequest = json::load_strict(bytes, MAX_REQUEST_BYTES).map_err(|error| error.to_string())?;
    if request.fleet != *fleet {
        return Err(format!("it is for fleet {}", request.fleet));
    }
    if now.since(request.issued) > MAX_OFF || request.issued.since(now) > MAX_OFF {
        return Err("it is not of now; is the witness's clock right?".to_owned());
    }
    Ok(*key)
}

/// The facts of a status commit as far as the hosts of a signed model signed them: a key in the status branch alone
/// counts for nothing.
pub fn facts_by_model(status: &FleetStatus, model: &Model) -> FactsOfFleet {
    let facts = |(id, host): (&HostId, &crate::status::HostStatus)| {
        let (record, key) = (host.facts.as_ref()?, model.host(id)?.key?);
        let signature = Signature::load(record.signature.as_bytes()).ok()?;
        signature.verify(&record.bytes, &key).ok()?;
        Some((id.clone(), record.body.facts.clone()))
    };
    status.hosts.iter().filter_map(facts).collect()
}

/// Renders a manifest anew, and gives its bytes if they are those that are to be signed. `before` is the model of the
/// commit before the source.
///
/// # Errors
/// When they are not, or that cannot be told.
pub fn witness_manifest(
    pending: &PendingManifest,
    origin: (&FleetName, u64),
    (model, before): (&Model, Option<&Model>),
    facts: &FactsOfFleet,
) -> Result<Vec<u8>, NotWitnessed> {
    let differs = |text: String| NotWitnessed::Differs(text);
    let (fleet, epoch) = origin;
    let (id, commit) = (&pending.host.id, &pending.source.commit);
    let ours = env!("CARGO_PKG_VERSION");
    if pending.renderer.version != ours {
        return Err(NotWitnessed::OtherVersion { theirs: pending.renderer.version.clone(), ours });
    }
    if pending.epoch != epoch {
        return Err(differs(format!("it is of epoch {}, the root document of {epoch}", pending.epoch)));
    }
    let left = before.and_then(|before| before.host(id)).filter(|host| host.on_retire == OnRetire::Revert);
    let (key, rendered) = match (model.host(id), left) {
        (Some(host), _) => match render_host(model, id, facts) {
            Ok(rendered) => (host.key, rendered),
            Err(NotRendered::Waiting { missing, .. }) => {
                let missing: Vec<String> = missing.iter().take(5).map(ToString::to_string).collect();
                return Err(NotWitnessed::Waits(missing.join(", ")));
            }
            Err(NotRendered::Faulty { found, .. }) => {
                return Err(differs(found.first().map(ToString::to_string).unwrap_or_default()));
            }
        },
        (None, Some(left)) => (left.key, RenderedHost::default()),
        (None, None) => return Err(differs(format!("commit {commit} does not declare it"))),
    };
    if key != Some(pending.host.key) {
        let reason = format!("commit {commit} does not name its key {}", pending.host.key.id());
        return Err(differs(match key {
            Some(_) => reason,
            None => format!("{reason}; if a token made a machine this host: muster host approve {id}"),
        }));
    }
    let origin = Origin { fleet: fleet.clone(), epoch, source: pending.source.clone() };
    let RenderedHost { resources, verbatim, .. } = rendered;
    let manifest = pack_manifest(&origin, pending.host.clone(), pending.serial, resources, verbatim);
    let bytes = serde_json::to_vec(&manifest).map_err(|error| differs(error.to_string()))?;
    let digest = Sha256Digest::of(&bytes);
    if digest != pending.manifest {
        return Err(differs(format!("commit {commit} comes to manifest {digest}, not {}", pending.manifest)));
    }
    Ok(bytes)
}
