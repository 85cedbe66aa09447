//! What plans have nothing to do with: checks, and what is not managed any more.

use super::{ConvergeError, Converger};
use crate::apply::Outcome;
use crate::checks::{Check, CheckState};
use crate::plan::{Purpose, Target};
use crate::store::Batch;
use muster_schema::resource::{Existence, Spec};
use muster_schema::state::{Cause, ResourceState};
use muster_schema::{Address, Timestamp};
use std::collections::BTreeMap;

impl Converger {
    /// The checks that are in force.
    pub fn checks(&self) -> BTreeMap<Address, Check> {
        let check = |target: &Target| {
            let resource = &target.resource;
            let Spec::Check(spec) = &resource.spec else { return None };
            let meta = &resource.meta;
            let probed = target.purpose == Purpose::Probe && meta.state == Existence::Present;
            let check = Check { spec: spec.clone(), timeout: meta.timeout, retry: meta.retry };
            probed.then(|| (resource.address.clone(), check))
        };
        self.schedule.targets.iter().filter_map(check).collect()
    }

    /// What earlier answers said of a check.
    pub fn known_check(&self, address: &Address) -> Option<CheckState> {
        let known = self.managed.known.states().get(address)?;
        match known.state {
            ResourceState::Compliant => Some(CheckState::Passes),
            ResourceState::NonCompliant => Some(CheckState::Fails(known.message.clone())),
            _ => None,
        }
    }

    /// Writes down what a check says.
    ///
    /// # Errors
    /// When the agent's own disk refuses.
    pub fn note_check(&mut self, address: &Address, state: &CheckState, now: Timestamp) -> Result<(), ConvergeError> {
        let (state, message) = match state {
            CheckState::Passes => (ResourceState::Compliant, ""),
            CheckState::Fails(why) => (ResourceState::NonCompliant, why.as_str()),
        };
        self.note_untouched(address.clone(), Some(state), message, Cause::Corrective, now)
    }

    /// Forgets the states of what is neither in the manifest nor owned: it was only looked at, and has left.
    pub(super) fn forget_unmanaged(&mut self, now: Timestamp) -> Result<(), ConvergeError> {
        let known = self.managed.known.states().keys();
        let gone: Vec<Address> = known.filter(|address| self.schedule.find(address).is_none()).cloned().collect();
        for address in gone {
            self.note_untouched(address, None, "", Cause::Intentional, now)?;
        }
        Ok(())
    }

    fn note_untouched(
        &mut self,
        address: Address,
        state: Option<ResourceState>,
        message: &str,
        cause: Cause,
        now: Timestamp,
    ) -> Result<(), ConvergeError> {
        let outcome = Outcome { address, state, message: message.to_owned(), cause, changed: false, reported: true };
        self.managed.known.note(&self.managed.store, &[outcome], now, Batch::new())?;
        Ok(())
    }
}
