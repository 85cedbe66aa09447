//! What changes by the clock alone.

use super::{Converger, Extent};
use crate::plan::{Purpose, Target};
use crate::resource::View;
use muster_schema::{Address, Timestamp};
use std::collections::BTreeMap;

impl Converger {
    /// What of these will be in another state by the clock alone, and when that is, next after `now`. Reads the host.
    pub fn next_changes(&self, extent: Extent<'_>, now: Timestamp) -> BTreeMap<Address, Timestamp> {
        let view = View::new(self.managed.host.as_read());
        let next = |target: &Target| {
            let at = target.resource_type().next_change(&view, now)?;
            Some((target.address().clone(), at))
        };
        let targets: Vec<&Target> = match extent {
            Extent::All => self.schedule.targets.iter().collect(),
            Extent::Only(addresses) => {
                addresses.iter().filter_map(|address| self.schedule.targets.get(self.schedule.find(address)?)).collect()
            }
        };
        let managed = targets.into_iter().filter(|target| matches!(target.purpose, Purpose::Enforce | Purpose::Audit));
        managed.filter_map(next).collect()
    }
}
