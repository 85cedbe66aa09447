//! One resource, as it is shown.

use super::look::Look;
use super::masked::show_attributes;
use super::unreadable;
use crate::io::clock;
use crate::known::{KnownState, load_known};
use crate::plan::{Purpose, Target, describe_verdict, plan_changes};
use crate::resource::{self, ResourceError, State};
use crate::store::Store;
use muster_schema::Address;
use muster_schema::api::{DesiredView, ObservedView, Problem, ResourceLine, ResourceView};

/// A line of a list.
pub(super) fn resource_line(address: &Address, managed: bool, known: Option<&KnownState>) -> ResourceLine {
    ResourceLine {
        address: address.clone(),
        managed,
        state: known.map(|known| known.state),
        since: known.map(|known| known.since),
        message: known.map(|known| known.message.clone()).unwrap_or_default(),
    }
}

impl Look {
    /// Everything about one resource; what the host has of it is read now.
    pub(super) fn show(&self, store: &Store, address: &Address) -> Result<ResourceView, Problem> {
        let (known, last_change) = load_known(store, address).map_err(|error| unreadable(&error))?;
        let mut view = ResourceView {
            address: address.clone(),
            managed: self.resources().iter().any(|resource| resource.address == *address),
            desired: None,
            observed: None,
            observed_at: clock::now(),
            state: known.as_ref().map(|known| known.state),
            since: known.as_ref().map(|known| known.since),
            message: known.map(|known| known.message).unwrap_or_default(),
            plan: None,
            last_change,
            revision: self.revision(),
        };
        let (schedule, mut observed) = self.observe(address)?;
        let Some(at) = schedule.find(address) else {
            view.observed = Some(self.observe_unmanaged(address)?);
            return Ok(view);
        };
        let Some(target) = schedule.targets.get(at) else { return Ok(view) };
        let plan = self.hold_back(&schedule, plan_changes(&schedule, &observed));
        let verdict = plan.get(at).and_then(Option::as_ref);
        view.plan = verdict.and_then(|verdict| describe_verdict(target, verdict, self.contact()));
        view.desired = view.managed.then(|| desired(target));
        match observed.get_mut(at).and_then(Option::take) {
            Some(Ok(state)) => view.observed = Some(show_state(&state)),
            Some(Err(error)) => view.message = error.chain(),
            None => {}
        }
        Ok(view)
    }

    /// What the host has of a thing that nobody manages.
    fn observe_unmanaged(&self, address: &Address) -> Result<ObservedView, Problem> {
        let resource = self.unmanaged(address)?;
        let state = self.with_view(&resource, |view| resource::observe(&resource, view));
        state.map(|state| show_state(&state)).map_err(|error: ResourceError| unreadable(&error))
    }
}

fn desired(target: &Target) -> DesiredView {
    let wanted = target.wanted.as_ref().filter(|_| target.purpose != Purpose::Leave);
    let attributes = wanted.and_then(|wanted| wanted.state.attributes()).map(show_attributes).unwrap_or_default();
    DesiredView { state: target.resource.meta.state, attributes }
}

fn show_state(state: &State) -> ObservedView {
    let attributes = state.attributes();
    ObservedView { present: attributes.is_some(), attributes: attributes.map(show_attributes).unwrap_or_default() }
}
