//! The root document that follows another. Pure.

use muster_schema::root::{Role, RoleName, Root};
use muster_schema::{KeyId, PublicKey, Timestamp};

#[cfg(test)]
mod tests;

/// Why a root document is not changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Which of several keys is to be replaced is not said.
    #[error(
        "role {role} has {count} keys, and one new key would replace them all\n  hint: keep them by --overlap and \
         revoke the one that is to go, or use 'muster key ceremony'"
    )]
    SeveralKeys {
        /// The role.
        role: RoleName,
        /// How many keys it has.
        count: usize,
    },
    /// No role has the key.
    #[error("{wanted} is no key of root document {version}, whose keys are {known}")]
    UnknownKey {
        /// What was given.
        wanted: String,
        /// The current version.
        version: u64,
        /// Its keys, by role.
        known: String,
    },
    /// Too few keys would remain.
    #[error(
        "without {key} role {role} has {remaining} of the {needed} keys that must sign\n  hint: add another first: \
         muster key rotate {role} --overlap; or rotate without --overlap, which replaces it"
    )]
    BelowThreshold {
        /// The key that was to go.
        key: KeyId,
        /// Its role.
        role: RoleName,
        /// How many keys would remain.
        remaining: usize,
        /// The threshold.
        needed: u32,
    },
}

/// A root document in the making: the current one with another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRoot {
    root: Root,
}

impl NextRoot {
    /// Follows `current`, and lasts until `expires`.
    pub fn after(current: &Root, expires: Timestamp) -> Self {
        NextRoot { root: Root { version: current.version.saturating_add(1), expires, ..current.clone() } }
    }

    /// The document.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Gives a role a new key: beside those that it has with `overlap`, else in
    /// the place of its only one.
    ///
    /// # Errors
    /// When it has several, and all of them would go.
    pub fn add_key(&mut self, role: RoleName, key: PublicKey, overlap: bool) -> Result<(), ChangeError> {
        let keys = &mut self.root.roles.get_mut(role).keys;
        if !overlap {
            if keys.len() > 1 {
                return Err(ChangeError::SeveralKeys { role, count: keys.len() });
            }
            keys.clear();
        }
        keys.push(key);
        Ok(())
    }

    /// Takes the key with the id `wanted` from its role, and tells both.
    ///
    /// # Errors
    /// When there is none, or too few keys would remain.
    pub fn revoke(&mut self, wanted: &str) -> Result<(RoleName, PublicKey), ChangeError> {
        let is_wanted = |key: &PublicKey| key.id().to_string().eq_ignore_ascii_case(wanted);
        for name in RoleName::ALL {
            let role = self.root.roles.get_mut(name);
            let Some(at) = role.keys.iter().position(is_wanted) else { continue };
            let key = role.keys.remove(at);
            if role.keys.len() < role.threshold as usize {
                let (remaining, needed) = (role.keys.len(), role.threshold);
                return Err(ChangeError::BelowThreshold { key: key.id(), role: name, remaining, needed });
            }
            return Ok((name, key));
        }
        let version = self.root.version.saturating_sub(1);
        Err(ChangeError::UnknownKey { wanted: wanted.to_owned(), version, known: list_keys(&self.root) })
    }

    /// Gives a role other keys.
    pub fn set_role(&mut self, name: RoleName, role: Role) {
        *self.root.roles.get_mut(name) = role;
    }

    /// Starts the serials of all hosts anew.
    pub fn raise_epoch(&mut self) {
        self.root.epoch = self.root.epoch.saturating_add(1);
    }
}

/// `root ID; render ID, ID; fresh ID`.
fn list_keys(root: &Root) -> String {
    let of_role = |name: RoleName| {
        let ids: Vec<String> = root.roles.get(name).keys.iter().map(|key| key.id().to_string()).collect();
        format!("{name} {}", ids.join(", "))
    };
    let some = RoleName::ALL.into_iter().filter(|name| !root.roles.get(*name).keys.is_empty());
    some.map(of_role).collect::<Vec<_>>().join("; ")
}
