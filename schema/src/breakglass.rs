//! Break-glass: one host is given a manifest by people, without the orchestrator.
//!
//! The host gives out a challenge; people render the host at a verified revision and sign head and manifest with keys
//! of the role `breakglass`; the bundle is carried to the host as a folder.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fleet_name::FleetName;
use crate::key::PublicKey;
use crate::manifest::HostIdentity;
use crate::timestamp::Timestamp;

/// The longest that a challenge, and a bundle that answers it, are good.
pub const MAX_LIFE: Duration = Duration::from_secs(4 * 60 * 60);

/// How far ahead of the mark, or of the host's clock, a serial may be: the orchestrator follows reports so far.
pub const MAX_SERIAL_AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest challenge, in bytes.
pub const MAX_CHALLENGE_BYTES: usize = 4096;

/// The head's file in the folder of a bundle. Signatures stand beside each file: `<file>.<keyid>.minisig`.
pub const HEAD_FILE: &str = "head.json";

/// The manifest's file in the folder of a bundle.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The folder of contents, named by their SHA-256, in the folder of a bundle.
pub const BLOB_FOLDER: &str = "blobs";

crate::document_type::document_type! {
    /// The type of a challenge.
    ChallengeType = "breakglass_challenge"
}

/// What a host says to whoever is to help it: nothing that was signed before answers it. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Always `breakglass_challenge`.
    pub r#type: ChallengeType,
    /// The fleet.
    pub fleet: FleetName,
    /// The host.
    pub host: HostIdentity,
    /// What the head is to hold: 32 hexadecimal digits, random.
    pub nonce: String,
    /// When it ends, by the host's clock; at most [`MAX_LIFE`] after it was given.
    pub expires: Timestamp,
    /// The epoch that the host is at.
    pub epoch: u64,
    /// The serial that the host is at; only a higher one is taken.
    pub serial: u64,
}

/// A manifest of break-glass keys is in force on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassReport {
    /// The keys that signed both head and manifest.
    pub signers: Vec<PublicKey>,
    /// Since when, by the host's clock.
    pub since: Timestamp,
}

impl BreakGlassReport {
    /// The ids of the keys, for people.
    pub fn signer_ids(&self) -> String {
        self.signers.iter().map(|key| key.id().to_string()).collect::<Vec<_>>().join(", ")
    }
}
