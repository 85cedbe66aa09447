//! What changes by the clock alone.

use super::Converger;
use crate::plan::{Purpose, Target};
use crate::resource::View;
use muster_schema::{Address, Timestamp};
use std::collections::BTreeMap;

impl Converger {
    /// What will be in another state by the clock alone, and when that is, next after `now`. Reads the host.
    pub fn next_changes(&self, now: Timestamp) -> BTreeMap<Address, Timestamp> {
        let view = View::new(self.managed.host.as_read());
        let managed = self.schedule.targets.iter();
        let managed = managed.filter(|target| matches!(target.purpose, Purpose::Enforce | Purpose::Audit));
        let change =
            |target: &Target| Some((target.address().clone(), target.resource_type().next_change(&view, now)?));
        managed.filter_map(change).collect()
    }
}
