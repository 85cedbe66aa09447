//! The states of units, read together once in a look.

use super::service::unit_name;
use super::{ResourceError, View, container, timer};
use crate::provider::systemd::{Systemd, UnitName, UnitState};
use muster_schema::Collection;
use std::collections::HashMap;

/// Those of all services, timers and containers that the look is about.
struct Units(HashMap<String, UnitState>);

/// The state of a unit.
pub(super) fn observe_unit(name: &UnitName, view: &View<'_>) -> Result<UnitState, ResourceError> {
    match view.once(load_units)?.0.get(name.as_str()) {
        Some(unit) => Ok(unit.clone()),
        None => Ok(Systemd::connect()?.load_unit(name)?),
    }
}

fn load_units(view: &View<'_>) -> Result<Units, ResourceError> {
    let services = view.ids(Collection::Services).iter().map(|id| unit_name(id));
    let timers = view.ids(Collection::Timers).iter().map(|id| timer::unit_of(id));
    let containers = view.ids(Collection::Containers).iter().map(|id| container::unit_of(id));
    let names: Vec<UnitName> = services.chain(timers).chain(containers).filter_map(Result::ok).collect();
    let states = Systemd::connect()?.load_units(&names)?;
    Ok(Units(names.into_iter().map(|name| name.as_str().to_owned()).zip(states).collect()))
}
