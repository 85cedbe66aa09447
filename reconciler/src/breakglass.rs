//! Break-glass bundles: what people sign so that one host takes a manifest without the orchestrator. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use muster_schema::breakglass::{Challenge, MAX_LIFE};
use muster_schema::digest::Sha256Digest;
use muster_schema::envelope::Signature;
use muster_schema::head::{Head, HeadType, MAX_HEAD_BYTES};
use muster_schema::manifest::{HostIdentity, MAX_MANIFEST_BYTES, Manifest, Source};
use muster_schema::root::{Role, Root};
use muster_schema::{CommitId, FleetName, PublicKey, Timestamp, json};

use crate::bundle::{Origin, next_serial, pack_manifest};
use crate::model::{Finding, Model};
use crate::render::{FactsOfFleet, NotRendered, render_host};

/// Why there is no bundle, or none to sign.
#[derive(Debug, thiserror::Error)]
pub enum BreakGlassFault {
    /// The fleet has no break-glass keys.
    #[error(
        "root document {0} names no key of the role breakglass, so no agent would take this\n  hint: 'muster key \
         ceremony begin --role breakglass' gives the role to keys"
    )]
    NoRole(u64),
    /// The challenge is of another fleet or host.
    #[error("the challenge is of host {} of fleet {}, not of {host} of {fleet}", challenge.host.id, challenge.fleet)]
    OtherHost {
        /// The challenge.
        challenge: Box<Challenge>,
        /// The host that was meant.
        host: muster_schema::HostId,
        /// The fleet of the root document.
        fleet: FleetName,
    },
    /// The challenge has ended.
    #[error("the challenge ended at {0}\n  hint: 'muster-agent breakglass request' on the host gives another")]
    Ended(Timestamp),
    /// The host is not declared, or with another key.
    #[error("commit {commit} does not declare host {} with the key of the challenge, fingerprint {}; a machine that a token made a host needs 'muster host approve {}' first", host.id, host.key.fingerprint(), host.id)]
    NotDeclared {
        /// The commit.
        commit: CommitId,
        /// The host of the challenge.
        host: Box<HostIdentity>,
    },
    /// It cannot be rendered.
    #[error("the host cannot be rendered: {0}")]
    NotRendered(String),
    /// It is larger than agents take.
    #[error("the manifest has {0} bytes, more than {MAX_MANIFEST_BYTES}")]
    TooLarge(usize),
    /// JSON failed.
    #[error("writing JSON failed")]
    Json(#[from] serde_json::Error),
    /// The files of a bundle do not belong together, or are none.
    #[error("it is no break-glass bundle: {0}")]
    Unsound(String),
}

/// A revision of a clone that was verified, and what hosts said.
pub struct VerifiedState {
    /// The commit.
    pub commit: CommitId,
    /// What it says.
    pub model: Model,
    /// Its faults.
    pub found: Vec<Finding>,
    /// The facts that hosts signed.
    pub facts: FactsOfFleet,
    /// The status commit that they are from.
    pub facts_commit: Option<CommitId>,
}

/// Head and manifest of one host, to be signed by people.
#[derive(Debug, Clone)]
pub struct BreakGlassBundle {
    head: Head,
    head_bytes: Vec<u8>,
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
}

/// The contents of a manifest, by digest.
pub type Blobs = BTreeMap<Sha256Digest, Arc<[u8]>>;

impl BreakGlassBundle {
    /// Renders the host that gave the challenge, and answers it for `life`, of at most [`MAX_LIFE`].
    ///
    /// # Errors
    /// When the fleet has no break-glass keys, the challenge is not of `host`, or it cannot be rendered.
    pub fn make(
        challenge: &Challenge,
        host: &muster_schema::HostId,
        root: &Root,
        state: &VerifiedState,
        life: Duration,
        now: Timestamp,
    ) -> Result<(Self, Blobs), BreakGlassFault> {
        if root.roles.breakglass.is_none() {
            return Err(BreakGlassFault::NoRole(root.version));
        }
        if challenge.fleet != root.fleet || challenge.host.id != *host {
            let (challenge, fleet) = (Box::new(challenge.clone()), root.fleet.clone());
            return Err(BreakGlassFault::OtherHost { challenge, host: host.clone(), fleet });
        }
        if challenge.expires <= now {
            return Err(BreakGlassFault::Ended(challenge.expires));
        }
        let known = if challenge.epoch == root.epoch { challenge.serial } else { 0 };
        let serial = next_serial(known, now);
        let (manifest, manifest_bytes, blobs) = render(&challenge.host, root, state, serial)?;
        let head = Head {
            r#type: HeadType::Is,
            fleet: root.fleet.clone(),
            host: challenge.host.clone(),
            epoch: root.epoch,
            serial,
            manifest: Sha256Digest::of(&manifest_bytes),
            revision: state.commit.clone(),
            issued: now,
            expires: now.plus(life.min(MAX_LIFE)),
            nonce: Some(challenge.nonce.clone()),
            retired: false,
            renamed: None,
        };
        let head_bytes = serde_json::to_vec(&head)?;
        Ok((BreakGlassBundle { head, head_bytes, manifest, manifest_bytes }, blobs))
    }

    /// Reads the two documents, which have to belong together and to the fleet of `root`. Who signed them is another
    /// question.
    ///
    /// # Errors
    /// When they do not.
    pub fn load(head_bytes: Vec<u8>, manifest_bytes: Vec<u8>, root: &Root) -> Result<Self, BreakGlassFault> {
        let unsound = |why: String| BreakGlassFault::Unsound(why);
        if root.roles.breakglass.is_none() {
            return Err(BreakGlassFault::NoRole(root.version));
        }
        let head: Head = json::load_strict(&head_bytes, MAX_HEAD_BYTES).map_err(|error| unsound(error.to_string()))?;
        let manifest: Manifest =
            json::load_strict(&manifest_bytes, MAX_MANIFEST_BYTES).map_err(|error| unsound(error.to_string()))?;
        let same = (&head.fleet, &head.host, head.epoch, head.serial)
            == (&manifest.fleet, &manifest.host, manifest.epoch, manifest.serial);
        if !same || head.manifest != Sha256Digest::of(&manifest_bytes) {
            return Err(unsound("the head does not name the manifest".to_owned()));
        }
        if head.fleet != root.fleet || head.epoch != root.epoch {
            return Err(unsound(format!("it is of fleet {}, epoch {}", head.fleet, head.epoch)));
        }
        if head.nonce.is_none() || head.retired || head.renamed.is_some() || head.expires > head.issued.plus(MAX_LIFE) {
            return Err(unsound("its head is not one that answers a challenge".to_owned()));
        }
        Ok(BreakGlassBundle { head, head_bytes, manifest, manifest_bytes })
    }

    /// Renders the manifest anew from a state that was verified here, and compares.
    ///
    /// # Errors
    /// When it comes to something else.
    pub fn compare(&self, root: &Root, state: &VerifiedState) -> Result<(), BreakGlassFault> {
        let source = &self.manifest.source.commit;
        if *source != state.commit || self.head.revision != state.commit {
            return Err(BreakGlassFault::Unsound(format!("it is of commit {source}, not of {}", state.commit)));
        }
        let (_, bytes, _) = render(&self.head.host, root, state, self.head.serial)?;
        if bytes != self.manifest_bytes {
            let commit = &state.commit;
            return Err(BreakGlassFault::Unsound(format!("commit {commit} comes to another manifest here")));
        }
        Ok(())
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The status commit whose facts it was rendered by; none where it read none.
    pub fn facts_commit(&self) -> Option<&CommitId> {
        self.manifest.source.facts_commit.as_ref()
    }

    /// The head's exact bytes.
    pub fn head_bytes(&self) -> &[u8] {
        &self.head_bytes
    }

    /// The manifest's exact bytes.
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.manifest_bytes
    }

    /// The contents that the manifest names.
    pub fn blobs(&self) -> impl Iterator<Item = muster_schema::content::BlobRef> + '_ {
        self.manifest.resources.iter().flat_map(|resource| resource.blobs())
    }

    /// What a holder of a key is to read before signing.
    pub fn describe(&self, root: &Root) -> String {
        let Head { host, serial, revision, expires, nonce, .. } = &self.head;
        let role = &root.roles.breakglass;
        [
            format!(
                "Fleet {}: host {} is to have revision {revision}, until the orchestrator says otherwise.",
                root.fleet, host.id
            ),
            format!("  its key        fingerprint {}", host.key.fingerprint()),
            format!("  challenge      {}", nonce.as_deref().unwrap_or_default()),
            format!("  good until     {expires}"),
            format!("  serial         {serial} of epoch {}", self.head.epoch),
            format!("  resources      {}", self.manifest.resources.len()),
            format!("  SHA-256 of manifest.json  {}", self.head.manifest),
            format!("  SHA-256 of head.json      {}", Sha256Digest::of(&self.head_bytes)),
            format!(
                "  root document {}: {} of {} break-glass keys must sign",
                root.version,
                role.threshold,
                role.keys.len()
            ),
        ]
        .join("\n")
            + "\n"
    }
}

/// Which of the role's keys signed both documents, and which did not.
pub fn signers_of<'r>(
    bundle: &BreakGlassBundle,
    role: &'r Role,
    head: &[Signature],
    manifest: &[Signature],
) -> (Vec<&'r PublicKey>, Vec<&'r PublicKey>) {
    let by = |key: &PublicKey, bytes: &[u8], signatures: &[Signature]| {
        signatures.iter().any(|signature| signature.verify(bytes, key).is_ok())
    };
    role.keys.iter().partition(|key| by(key, &bundle.head_bytes, head) && by(key, &bundle.manifest_bytes, manifest))
}

fn render(
    host: &HostIdentity,
    root: &Root,
    state: &VerifiedState,
    serial: u64,
) -> Result<(Manifest, Vec<u8>, Blobs), BreakGlassFault> {
    let commit = &state.commit;
    let declared = state.model.host(&host.id).filter(|declared| declared.key == Some(host.key));
    let not_declared = || BreakGlassFault::NotDeclared { commit: commit.clone(), host: Box::new(host.clone()) };
    let declared = declared.ok_or_else(not_declared)?;
    if let Some(finding) = state.found.iter().find(|finding| finding.holds_environment(&declared.environment)) {
        return Err(BreakGlassFault::NotRendered(finding.to_string()));
    }
    let rendered = render_host(&state.model, &host.id, &state.facts).map_err(|error| {
        BreakGlassFault::NotRendered(match error {
            NotRendered::Waiting { missing, .. } => {
                let missing: Vec<String> = missing.iter().take(5).map(ToString::to_string).collect();
                format!(
                    "it waits for {}; facts are taken from the status branch, with --status-key",
                    missing.join(", ")
                )
            }
            NotRendered::Faulty { found, .. } => found.first().map(ToString::to_string).unwrap_or_default(),
        })
    })?;
    let facts_commit = state.facts_commit.clone().filter(|_| !rendered.reads.is_empty());
    let source = Source { commit: commit.clone(), facts_commit, policy_version: 0 };
    let origin = Origin { fleet: root.fleet.clone(), epoch: root.epoch, source };
    let manifest = pack_manifest(&origin, host.clone(), serial, rendered.resources, rendered.verbatim);
    let bytes = serde_json::to_vec(&manifest)?;
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(BreakGlassFault::TooLarge(bytes.len()));
    }
    Ok((manifest, bytes, rendered.blobs))
}
