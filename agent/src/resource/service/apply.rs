//! Changing units.

use super::{ENABLED, MASKED, RUNNING};
use crate::provider::systemd::{FileState, Systemd, UnitName, UnitState, Verb};
use crate::resource::{Change, Hands, Reaction, ResourceError, Value};
use std::thread::sleep;
use std::time::Duration;

/// How long a job may take where nothing is said; units have limits of their own, which are shorter.
const JOB_LIMIT: Duration = Duration::from_secs(300);
/// A service that starts and falls has fallen by then.
const SETTLE: Duration = Duration::from_millis(200);

/// Makes the change: first what makes the rest possible, last what makes it impossible.
pub(super) fn change_unit(name: &UnitName, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let systemd = Systemd::connect()?;
    let unit = look(&systemd, name)?;
    let asked = |name: &str| change.after(name).and_then(Value::bool);
    if !unit.exists() && asked(MASKED) != Some(true) {
        return Err(ResourceError::Blocked(format!("there is no unit {name}")));
    }
    let (running, enabled) = match change.removes() {
        // What cannot be enabled cannot be disabled either.
        true => (Some(false), (unit.file == Some(FileState::Enabled)).then_some(false)),
        false => (asked(RUNNING), asked(ENABLED)),
    };
    if asked(MASKED) == Some(false) && unit.is_masked() {
        systemd.unmask(&unit.id)?;
    }
    match enabled {
        Some(true) => systemd.enable(&unit.id)?,
        Some(false) if unit.exists() && !unit.is_masked() => systemd.disable(&unit.id)?,
        _ => {}
    }
    if running == Some(false) && unit.exists() {
        systemd.run_job(Verb::Stop, &unit.id, limit(hands))?;
    }
    if asked(MASKED) == Some(true) {
        systemd.mask(&unit.id)?;
    }
    if running == Some(true) {
        systemd.run_job(Verb::Start, &unit.id, limit(hands))?;
        check_that_it_runs(&systemd, name)?;
    }
    Ok(())
}

/// Restarts or reloads a unit, if it runs.
pub(super) fn react(name: &UnitName, reaction: Reaction, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let systemd = Systemd::connect()?;
    let unit = look(&systemd, name)?;
    if !unit.runs() {
        return Ok(());
    }
    let verb = if reaction == Reaction::Restart { Verb::Restart } else { Verb::Reload };
    systemd.run_job(verb, &unit.id, limit(hands))?;
    check_that_it_runs(&systemd, name)
}

/// The job is done as soon as the program is started; a program that cannot read its configuration ends right then.
fn check_that_it_runs(systemd: &Systemd, name: &UnitName) -> Result<(), ResourceError> {
    sleep(SETTLE);
    let unit = look(systemd, name)?;
    if unit.runs() {
        return Ok(());
    }
    Err(ResourceError::Failed(format!("it ended at once: {}", systemd.reason(&unit.id))))
}

fn look(systemd: &Systemd, name: &UnitName) -> Result<UnitState, ResourceError> {
    let found = systemd.load_units(std::slice::from_ref(name))?;
    found.into_iter().next().ok_or_else(|| ResourceError::Failed(format!("systemd does not answer about {name}")))
}

fn limit(hands: &Hands<'_>) -> Duration {
    hands.timeout.unwrap_or(JOB_LIMIT)
}
