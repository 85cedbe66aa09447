//! Services, by the host's service manager; with systemd other units too.
//!
//! `enabled` is a yes or no, or systemd's word for what cannot be enabled. A unit that is masked is never unmasked
//! but by `masked: false`. A unit cannot be made or removed here, its file can: to be absent, it is off.

use super::listing::{Listing, list_files};
use super::unit_look::observe_unit;
use super::{
    Batch, BatchItem, Change, Hands, Reaction, ResourceError, ResourceType, State, Value, View, Wanted, change,
};
use crate::host::{HostPath, Scope};
use crate::provider::init_scripts::{SCRIPTS, ServiceManager};
use crate::provider::systemd::{FileState, Systemd, SystemdError, UnitName, UnitState};
use muster_schema::resource::{Existence, ServiceSpec};
use std::borrow::Cow;
use std::time::{Duration, Instant};

pub(super) mod apply;
mod script;
#[cfg(test)]
mod tests;

const RUNNING: &str = "running";
const ENABLED: &str = "enabled";
const MASKED: &str = "masked";
/// systemd's word for a unit that it could not load.
const LOAD: &str = "load";

/// How long one look waits for units that are on their way to another state: somebody else's stop or restart is not
/// to be cut short.
const PATIENCE: Duration = Duration::from_secs(2);

/// When the patience of one look ends.
struct Patience(Instant);

impl ResourceType for ServiceSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default().with(RUNNING, self.running).with(ENABLED, self.enabled).with(MASKED, self.masked)
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let manager = view.once(|view| ServiceManager::of_host(&mut **view.reader()))?;
        if let ServiceManager::Scripts(manager) = known(*manager)? {
            return script::observe_script(self, id, manager, view);
        }
        let name = unit_name(id)?;
        Ok(observed_unit(&at_rest(observe_unit(&name, view)?, &name, self.running, view)?))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let (asked, found) = match (&wanted.state, observed) {
            (State::Present(asked), State::Present(found)) => (asked, found),
            (State::Absent, State::Present(_)) => return Ok(turn_off(observed)),
            // The unit is not there, or not yet. That is no difference where it is to be off anyway.
            (State::Present(asked), State::Absent) if asked.values().all(|value| value.bool() == Some(false)) => {
                return Ok(None);
            }
            _ => return Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed)),
        };
        let is = |attributes: &super::Attributes, name: &str| attributes.get(name).and_then(Value::bool);
        let masked = is(found, MASKED) == Some(true) && is(asked, MASKED) != Some(false);
        let satisfies = |name: &str, wanted: &Value, observed: &Value| match (name, wanted, observed) {
            // What a masked unit would do at boot cannot be told, and does not matter while it is to stay masked.
            (ENABLED, _, _) if masked && is(asked, MASKED) == Some(true) => true,
            // Nor can it before it is unmasked, but then it matters.
            (ENABLED, Value::Bool(_), Value::Text(word)) if word == MASKED && is(asked, MASKED) == Some(false) => false,
            // What cannot be enabled is not, and a word cannot be brought back.
            (ENABLED, Value::Bool(false), Value::Text(_)) | (ENABLED, Value::Text(_), _) => true,
            _ => wanted == observed,
        };
        let Some(mut change) = change::diff_attributes(wanted, observed, satisfies) else { return Ok(None) };
        let Some(reason) = drop_impossible(&mut change, found, masked) else { return Ok(Some(change)) };
        // What can be put right is put right first.
        if change.after.attributes().is_some_and(|after| !after.is_empty()) { Ok(Some(change)) } else { Err(reason) }
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        match known(ServiceManager::of_host(hands.host.reader().as_mut())?)? {
            ServiceManager::Systemd => apply::change_units(&[(id, change)], hands).into_iter().collect(),
            ServiceManager::Scripts(manager) => script::change_script(id, change, manager, hands),
        }
    }

    fn batch(&self) -> Option<Batch> {
        Some(apply_batch)
    }

    fn react(&self, id: &str, reaction: Reaction, hands: &Hands<'_>) -> Result<(), ResourceError> {
        match known(ServiceManager::of_host(hands.host.reader().as_mut())?)? {
            ServiceManager::Systemd => apply::react(&unit_name(id)?, reaction, hands),
            ServiceManager::Scripts(manager) => script::react_script(id, reaction, manager, hands),
        }
    }

    fn starts(&self, change: &Change) -> bool {
        change.after(RUNNING) == Some(&Value::Bool(true))
    }

    fn patience(&self) -> super::Patience {
        super::Patience::Installation
    }

    fn is_risky(&self, id: &str) -> bool {
        super::risk::is_risky_service(id)
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        let Ok(name) = UnitName::new(id) else { return Vec::new() };
        let folders = ["/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants"];
        folders.iter().filter_map(|folder| HostPath::new(&format!("{folder}/{name}")).ok()).collect()
    }

    fn watched_unit(&self, id: &str) -> Option<UnitName> {
        UnitName::new(id).ok()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_services)
    }
}

fn list_services(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let manager = ServiceManager::of_host(&mut **view.reader())?;
    match known(manager)? {
        ServiceManager::Systemd => Ok(Systemd::connect()?.list_services()?),
        ServiceManager::Scripts(_) => list_files(SCRIPTS, view),
    }
}

/// The unit when it has come to rest, where it is on its way to what is not wanted, or when the patience of this look
/// is over.
pub(super) fn at_rest(
    unit: UnitState,
    name: &UnitName,
    running: Option<bool>,
    view: &View<'_>,
) -> Result<UnitState, ResourceError> {
    let too_early = unit.is_passing() && running.is_some_and(|running| running != unit.runs());
    if !too_early {
        return Ok(unit);
    }
    let patience = view.once(|_| Ok::<_, ResourceError>(Patience(Instant::now() + PATIENCE)))?;
    let left = patience.0.saturating_duration_since(Instant::now());
    Ok(Systemd::connect()?.await_rest(name, left)?)
}

/// Units together, scripts one after the other.
fn apply_batch(items: &[BatchItem<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let changes = items.iter().map(|item| (item.resource.address.id(), item.change));
    match ServiceManager::of_host(hands.host.reader().as_mut()) {
        Ok(Some(ServiceManager::Scripts(manager))) => {
            changes.map(|(id, change)| script::change_script(id, change, manager, hands)).collect()
        }
        _ => apply::change_units(&changes.collect::<Vec<_>>(), hands),
    }
}

fn known(manager: Option<ServiceManager>) -> Result<ServiceManager, ResourceError> {
    manager.ok_or_else(|| ResourceError::Blocked("no service manager that is known runs on this host".to_owned()))
}

/// The name of a unit, or why `id` is none.
pub(super) fn unit_name(id: &str) -> Result<UnitName, ResourceError> {
    UnitName::new(id).map_err(|error| ResourceError::Blocked(error.to_string()))
}

fn observed_unit(unit: &UnitState) -> State {
    if !unit.exists() {
        return State::Absent;
    }
    let enabled = match &unit.file {
        Some(FileState::Enabled) => Value::Bool(true),
        Some(FileState::EnabledRuntime | FileState::Disabled) => Value::Bool(false),
        Some(FileState::Masked) => "masked".into(),
        Some(FileState::Fixed(word)) => word.clone().into(),
        None => "without a file".into(),
    };
    let mut state =
        State::present([(RUNNING, unit.runs().into()), (ENABLED, enabled), (MASKED, unit.is_masked().into())]);
    if let State::Present(attributes) = &mut state
        && !matches!(unit.load.as_str(), "loaded" | "masked")
    {
        attributes.insert(Cow::Borrowed(LOAD), unit.load.clone().into());
    }
    state
}

/// What is to change so that a unit is off: as if it were not there.
fn turn_off(observed: &State) -> Option<Change> {
    let is_on = |name: &str| observed.get(name).and_then(Value::bool) == Some(true);
    (is_on(RUNNING) || is_on(ENABLED)).then(|| Change { before: observed.clone(), after: State::Absent })
}

/// Takes out of the change what systemd would refuse, and says why.
fn drop_impossible(change: &mut Change, found: &super::Attributes, masked: bool) -> Option<ResourceError> {
    let State::Present(after) = &mut change.after else { return None };
    let mut reason = None;
    // A masked unit that is unmasked may well be enabled.
    let fixed = found.get(ENABLED).and_then(Value::text).filter(|word| *word != "masked");
    let wants = |after: &super::Attributes, name: &str| after.get(name).and_then(Value::bool) == Some(true);
    if masked && (wants(after, RUNNING) || wants(after, ENABLED)) {
        after.remove(RUNNING);
        after.remove(ENABLED);
        reason = Some("it is masked; only `masked: false` unmasks it".to_owned());
    }
    if let (true, Some(word)) = (wants(after, ENABLED), fixed) {
        reason = Some(format!("it is {word}: it has nothing that could be enabled"));
        after.remove(ENABLED);
    }
    if let State::Present(before) = &mut change.before {
        before.retain(|name, _| after.contains_key(name));
    }
    reason.map(ResourceError::Blocked)
}

impl From<SystemdError> for ResourceError {
    fn from(error: SystemdError) -> ResourceError {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        ResourceError::Failed(text)
    }
}
