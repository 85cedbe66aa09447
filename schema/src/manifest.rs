//! Manifests: the signed host set.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::blob_id::BlobId;
use crate::commit_id::CommitId;
use crate::digest::Sha256Digest;
use crate::fleet_name::FleetName;
use crate::host_id::HostId;
use crate::key::PublicKey;
use crate::resource::Resource;

/// The largest manifest, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;

crate::document_type::document_type! {
    /// The type of a manifest.
    ManifestType = "manifest"
}

/// Which host a document is for. The id without the key proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostIdentity {
    /// The host's id.
    pub id: HostId,
    /// The host's public key.
    pub key: PublicKey,
}

/// The commits that a manifest was rendered from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Of the state repository: where the content last changed.
    pub commit: CommitId,
    /// Of the status branch: the facts that the render read; none if it read none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub facts_commit: Option<CommitId>,
    /// The version of the access policy; 0 while there is none.
    pub policy_version: u64,
}

/// What rendered a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renderer {
    /// The program's version.
    pub version: String,
}

/// What one host is to have. Pure: no clock, no link to an older manifest; its
/// bytes follow from source, serial, epoch and the renderer's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `manifest`.
    pub r#type: ManifestType,
    /// The version of this schema.
    pub schema: u32,
    /// The fleet.
    pub fleet: FleetName,
    /// The host.
    pub host: HostIdentity,
    /// The root's epoch.
    pub epoch: u64,
    /// Orders the manifests of one host within an epoch.
    pub serial: u64,
    /// Where it was rendered from.
    pub source: Source,
    /// What rendered it.
    pub renderer: Renderer,
    /// The resources, sorted by address.
    pub resources: Vec<Resource>,
    /// The lowest schema version that an agent must know.
    pub min_agent: u32,
    /// Contents that are files of the commit, byte for byte, by their digest: the blobs that they are there. Nothing of
    /// what the host is to have, so not part of the content digest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub verbatim: BTreeMap<Sha256Digest, BlobId>,
}

impl Manifest {
    /// The digest of what matters to the host: resources, the blobs that they
    /// name, and `min_agent`. Equal digests need no new manifest.
    ///
    /// # Errors
    /// Never for a manifest that serialises; the error is serde's.
    pub fn content_digest(&self) -> Result<Sha256Digest, serde_json::Error> {
        content_digest(&self.resources, self.min_agent)
    }
}

/// The content digest of a host set that has no manifest yet; see
/// [`Manifest::content_digest`].
///
/// # Errors
/// Never for resources that serialise; the error is serde's.
pub fn content_digest(resources: &[Resource], min_agent: u32) -> Result<Sha256Digest, serde_json::Error> {
    Ok(Sha256Digest::of(&serde_json::to_vec(&(resources, min_agent))?))
}
