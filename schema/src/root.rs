//! `root.json`: which keys hold which role.
//!
//! The chain of roots follows The Update Framework, section 5.3: version N+1 is
//! signed by thresholds of the root keys of N *and* of N+1.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::envelope::Signature;
use crate::fleet_name::FleetName;
use crate::json::{self, JsonError};
use crate::key::PublicKey;
use crate::timestamp::Timestamp;

mod role_name;
#[cfg(test)]
mod tests;

pub use role_name::RoleName;

/// The largest root document, in bytes.
pub const MAX_ROOT_BYTES: usize = 64 * 1024;

crate::document_type::document_type! {
    /// The type of a root document.
    RootType = "root"
}

/// The keys of a fleet and what each may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Always `root`.
    pub r#type: RootType,
    /// The fleet.
    pub fleet: FleetName,
    /// Counts up from 1 without a gap.
    pub version: u64,
    /// Raised to start the serials of all hosts anew.
    pub epoch: u64,
    /// From when on agents hold what they have until a newer root comes.
    pub expires: Timestamp,
    /// Who may sign what.
    pub roles: Roles,
}

/// The roles of a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// Signs root documents.
    pub root: Role,
    /// Signs manifests.
    pub render: Role,
    /// Signs heads and messages to agents.
    pub fresh: Role,
    /// Signs manifests beside `render`, each key on a machine of its own; none unless a fleet demands it.
    #[serde(skip_serializing_if = "Role::is_none", default = "Role::none")]
    pub witness: Role,
    /// Signs head and manifest of one host where the orchestrator cannot; nobody unless a fleet names some.
    #[serde(skip_serializing_if = "Role::is_none", default = "Role::none")]
    pub breakglass: Role,
}

impl Roles {
    /// The keys of the role `name`.
    pub fn get(&self, name: RoleName) -> &Role {
        match name {
            RoleName::Root => &self.root,
            RoleName::Render => &self.render,
            RoleName::Fresh => &self.fresh,
            RoleName::Witness => &self.witness,
            RoleName::BreakGlass => &self.breakglass,
        }
    }

    /// The keys of the role `name`, to be changed.
    pub fn get_mut(&mut self, name: RoleName) -> &mut Role {
        match name {
            RoleName::Root => &mut self.root,
            RoleName::Render => &mut self.render,
            RoleName::Fresh => &mut self.fresh,
            RoleName::Witness => &mut self.witness,
            RoleName::BreakGlass => &mut self.breakglass,
        }
    }
}

/// The keys of one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// How many different keys must have signed.
    pub threshold: u32,
    /// The keys.
    pub keys: Vec<PublicKey>,
}

impl Role {
    /// A role that nobody has and that signs nothing.
    pub fn none() -> Self {
        Role { threshold: 0, keys: Vec::new() }
    }

    /// Whether nobody has it, and nothing is demanded of it.
    pub fn is_none(&self) -> bool {
        self.threshold == 0 && self.keys.is_empty()
    }
}

/// Why a root document is refused.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// It cannot be read.
    #[error("the root document cannot be read")]
    Document(#[from] JsonError),
    /// A threshold is zero, or higher than there are keys.
    #[error("the threshold of role {0} is zero, or more than it has keys")]
    Threshold(&'static str),
    /// A key stands twice, in one role or in two.
    #[error("the key {0} stands twice; one key has one role")]
    SharedKey(PublicKey),
    /// Too few keys of a role signed it.
    #[error("signed by {found} of the {needed} keys that role {role} needs")]
    TooFewSignatures {
        /// The role whose keys were counted.
        role: &'static str,
        /// Valid signatures by different keys.
        found: u32,
        /// The threshold.
        needed: u32,
    },
    /// It is not the next version.
    #[error("version {found} does not follow version {current}")]
    NotNext {
        /// The version that is held.
        current: u64,
        /// The version that was shown.
        found: u64,
    },
    /// It lowers the epoch.
    #[error("epoch {found} is lower than epoch {current}")]
    EpochLowered {
        /// The epoch that is held.
        current: u64,
        /// The epoch that was shown.
        found: u64,
    },
    /// It is of another fleet.
    #[error("it is of fleet {0}")]
    OtherFleet(FleetName),
    /// The first root is not the one that was pinned.
    #[error("its fingerprint is {found}, not the pinned {pinned}")]
    NotPinned {
        /// The fingerprint given at the agent's set-up.
        pinned: Sha256Digest,
        /// The fingerprint of what was shown.
        found: Sha256Digest,
    },
}

/// A root document that was verified: pinned, or reached from the pinned one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRoot {
    root: Root,
    bytes: Vec<u8>,
}

impl VerifiedRoot {
    /// Verifies the first root against the fingerprint that was pinned: the
    /// SHA-256 of the document's bytes.
    ///
    /// # Errors
    /// When it is another document, unsound or not signed by its own keys.
    pub fn pinned(bytes: &[u8], signatures: &[Signature], pinned: Sha256Digest) -> Result<Self, RootError> {
        let found = Sha256Digest::of(bytes);
        if found != pinned {
            return Err(RootError::NotPinned { pinned, found });
        }
        let root = load_root(bytes)?;
        check_signed("root", &root.roles.root, bytes, signatures)?;
        Ok(VerifiedRoot { root, bytes: bytes.to_vec() })
    }

    /// Verifies that `bytes` is the root that follows this one.
    ///
    /// An expired root may still be followed (A7); whether the last one has
    /// expired is the caller's question.
    ///
    /// # Errors
    /// When it does not follow, or too few keys of either root signed it.
    pub fn next(&self, bytes: &[u8], signatures: &[Signature]) -> Result<Self, RootError> {
        let root = load_root(bytes)?;
        if root.fleet != self.root.fleet {
            return Err(RootError::OtherFleet(root.fleet));
        }
        if Some(root.version) != self.root.version.checked_add(1) {
            return Err(RootError::NotNext { current: self.root.version, found: root.version });
        }
        if root.epoch < self.root.epoch {
            return Err(RootError::EpochLowered { current: self.root.epoch, found: root.epoch });
        }
        check_signed("root (old)", &self.root.roles.root, bytes, signatures)?;
        check_signed("root (new)", &root.roles.root, bytes, signatures)?;
        Ok(VerifiedRoot { root, bytes: bytes.to_vec() })
    }

    /// The document.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The document's exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a root document and checks that its roles are sound.
fn load_root(bytes: &[u8]) -> Result<Root, RootError> {
    let root: Root = json::load_strict(bytes, MAX_ROOT_BYTES)?;
    // A signature does not cover the key's id: one secret key under two ids could sign for two.
    let mut seen = BTreeSet::new();
    for name in RoleName::ALL {
        let role = root.roles.get(name);
        if name.is_optional() && role.is_none() {
            continue;
        }
        if role.threshold == 0 || role.threshold as usize > role.keys.len() {
            return Err(RootError::Threshold(name.as_str()));
        }
        if let Some(key) = role.keys.iter().find(|key| !seen.insert(key.point())) {
            return Err(RootError::SharedKey(*key));
        }
    }
    Ok(root)
}

/// Checks that as many witnesses signed exactly `bytes` as the root document demands.
///
/// # Errors
/// [`RootError::TooFewSignatures`] otherwise.
pub fn check_witnessed(root: &Root, bytes: &[u8], signatures: &[Signature]) -> Result<(), RootError> {
    check_signed("witness", &root.roles.witness, bytes, signatures).map(drop)
}

/// Checks that enough different keys of `role` signed exactly `bytes`. Returns those that did.
///
/// # Errors
/// [`RootError::TooFewSignatures`] otherwise.
pub fn check_signed(
    name: &'static str,
    role: &Role,
    bytes: &[u8],
    signatures: &[Signature],
) -> Result<Vec<PublicKey>, RootError> {
    let signed = |key: &&PublicKey| signatures.iter().any(|signature| signature.verify(bytes, key).is_ok());
    let signers: Vec<PublicKey> = role.keys.iter().filter(signed).copied().collect();
    let found = u32::try_from(signers.len()).unwrap_or(u32::MAX);
    if found < role.threshold {
        return Err(RootError::TooFewSignatures { role: name, found, needed: role.threshold });
    }
    Ok(signers)
}
