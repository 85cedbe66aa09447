//! Which key may speak as which host.

use std::collections::{HashMap, HashSet};

use muster_schema::{HostId, KeyId, PublicKey};

/// A host that the repository names, or named until just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedHost {
    /// Its id.
    pub id: HostId,
    /// The key in its file.
    pub key: PublicKey,
    /// The age recipient in its file, where one stands there.
    pub recipient: Option<String>,
    /// It left the repository, or has a new id: it may still fetch its last head
    /// and report that it stopped, and is not enrolled under this id any more.
    pub leaving: bool,
}

/// All of them, to look up by key. One key may have two ids while a rename goes on.
#[derive(Debug, Clone, Default)]
pub struct ApprovedHosts {
    by_key_id: HashMap<KeyId, Vec<ApprovedHost>>,
    revoked: HashSet<PublicKey>,
}

impl ApprovedHosts {
    /// Knows these keys as taken back, as far as no host has one of them again.
    #[must_use]
    pub fn with_revoked(mut self, keys: impl IntoIterator<Item = PublicKey>) -> Self {
        self.revoked = keys.into_iter().collect();
        self
    }

    /// Whether this key was a host's, and is nobody's now.
    pub fn is_revoked(&self, key: &PublicKey) -> bool {
        self.revoked.contains(key) && self.of_key(key).next().is_none()
    }

    /// The keys that a signature with this key id may be of.
    pub fn candidates(&self, key_id: KeyId) -> impl Iterator<Item = &ApprovedHost> {
        self.by_key_id.get(&key_id).into_iter().flatten()
    }

    /// The hosts that have exactly this key.
    pub fn of_key(&self, key: &PublicKey) -> impl Iterator<Item = &ApprovedHost> {
        self.candidates(key.id()).filter(move |host| host.key == *key)
    }

    /// The host that this key is to be; none when it only leaves.
    pub fn current(&self, key: &PublicKey) -> Option<&ApprovedHost> {
        self.of_key(key).find(|host| !host.leaving)
    }

    /// Whether this key may speak as `id`.
    pub fn allows(&self, key: &PublicKey, id: &HostId) -> bool {
        self.of_key(key).any(|host| host.id == *id)
    }
}

impl FromIterator<ApprovedHost> for ApprovedHosts {
    fn from_iter<T: IntoIterator<Item = ApprovedHost>>(hosts: T) -> Self {
        let mut by_key_id: HashMap<KeyId, Vec<ApprovedHost>> = HashMap::new();
        for host in hosts {
            by_key_id.entry(host.key.id()).or_default().push(host);
        }
        ApprovedHosts { by_key_id, revoked: HashSet::new() }
    }
}
