//! Reactions that are owed. They survive a crash, because they are written down with the outcome that asks for them.

use crate::resource::Reaction;
use crate::store::{Batch, Store, StoreError};
use muster_schema::Address;
use std::collections::BTreeMap;

const KEY: &str = "owed";

/// Who is to react, and how. A restart makes a reload needless.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owed(BTreeMap<Address, Reaction>);

impl Owed {
    /// What an earlier run left.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(store: &Store) -> Result<Owed, StoreError> {
        let list: Vec<(Address, Reaction)> = store.load(KEY)?.unwrap_or_default();
        Ok(Owed(list.into_iter().collect()))
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a resource owes.
    pub fn get(&self, address: &Address) -> Option<Reaction> {
        self.0.get(address).copied()
    }

    pub(super) fn add(&mut self, address: &Address, reaction: Reaction) {
        let known = self.0.entry(address.clone()).or_insert(reaction);
        *known = (*known).max(reaction);
    }

    pub(super) fn remove(&mut self, address: &Address) {
        self.0.remove(address);
    }

    /// Forgets those that are not managed any more.
    pub(super) fn retain(&mut self, managed: impl Fn(&Address) -> bool) {
        self.0.retain(|address, _| managed(address));
    }

    pub(super) fn put(&self, batch: &mut Batch) -> Result<(), StoreError> {
        if self.0.is_empty() {
            batch.remove(KEY);
            return Ok(());
        }
        batch.put(KEY, &self.0.iter().collect::<Vec<_>>())
    }
}
