//! Timers of systemd: two generated units each, and the timer on.

use super::generated_unit::{MISSING, keep_files, observe_file, paths_of, write_file};
use super::listing::{Listing, decode_name, list_files};
use super::service::unit_name;
use super::unit::{check_systemd, tell_systemd};
use super::unit_look::observe_unit;
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change, check_sense};
use crate::host::{FileKind, HostPath, Program, Scope};
use crate::provider::systemd::{FileState, Systemd, UnitName, UnitState, Verb};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{Existence, ResourceSpec, TimerSpec};
use std::time::Duration;

mod render;
#[cfg(test)]
mod tests;

const FOLDER: &str = "/etc/systemd/system";
const SERVICE: &str = "service";
const TIMER: &str = "timer";
const ON: &str = "on";
const JOB_LIMIT: Duration = Duration::from_secs(60);

impl ResourceType for TimerSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let [service, timer] = render::render_units(self);
        Wanted::default()
            .with(SERVICE, Some(BlobRef::of(service.as_bytes())))
            .with(TIMER, Some(BlobRef::of(timer.as_bytes())))
            .with(ON, Some(true))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        check_systemd(view)?;
        let [service, timer] = paths_of::<TimerSpec>(id)?;
        let (service, timer) = (observe_file(&service, view)?, observe_file(&timer, view)?);
        if service == MISSING.into() && timer == MISSING.into() {
            return Ok(State::Absent);
        }
        let on = is_on(&observe_unit(&unit_of(id)?, view)?);
        Ok(State::present([(SERVICE, service), (TIMER, timer), (ON, on.into())]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        keep_files([SERVICE, TIMER].into_iter().zip(paths_of::<TimerSpec>(id)?), change, view, vault)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let unit = unit_of(id)?;
        let texts = render::render_units(self);
        if change.after(TIMER) == texts.get(1).map(|text| BlobRef::of(text.as_bytes()).into()).as_ref() {
            check_sense(self)?;
            check_calendar(self.calendar.as_deref().unwrap_or_default(), hands)?;
        }
        if change.removes() || change.after(ON) == Some(&Value::Bool(false)) {
            turn_off(&unit)?;
        }
        for ((name, path), text) in [SERVICE, TIMER].into_iter().zip(paths_of::<TimerSpec>(id)?).zip(&texts) {
            match change.after(name) {
                Some(Value::Content(content)) => write_file(path, content, text, hands)?,
                Some(_) => hands.host.remove(&path, FileKind::File)?,
                None if change.removes() => hands.host.remove(&path, FileKind::File)?,
                None => {}
            }
        }
        tell_systemd()?;
        if change.after(ON) == Some(&Value::Bool(true)) {
            let systemd = Systemd::connect()?;
            systemd.enable(unit.as_str())?;
            systemd.reload()?;
            systemd.run_job(Verb::Start, unit.as_str(), hands.timeout.unwrap_or(JOB_LIMIT))?;
        }
        Ok(())
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        paths_of::<TimerSpec>(id).into_iter().flatten().collect()
    }

    fn watched_unit(&self, id: &str) -> Option<UnitName> {
        unit_of(id).ok()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_timers)
    }
}

/// Ours: those of others are units.
fn list_timers(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let names = list_files(FOLDER, view)?;
    let id = |name: &String| {
        let stem = name.strip_prefix("muster-")?;
        let stem = stem.strip_suffix(".timer")?;
        let id = decode_name(stem, "\\x")?;
        TimerSpec::paths_of(&id).iter().any(|path| path.ends_with(&format!("/{name}"))).then_some(id)
    };
    Ok(names.iter().filter_map(id).collect())
}

pub(super) fn unit_of(id: &str) -> Result<UnitName, ResourceError> {
    let [_, timer] = paths_of::<TimerSpec>(id)?;
    unit_name(timer.name())
}

fn is_on(unit: &UnitState) -> bool {
    unit.runs() && unit.file == Some(FileState::Enabled)
}

fn turn_off(unit: &UnitName) -> Result<(), ResourceError> {
    let systemd = Systemd::connect()?;
    if systemd.load_unit(unit)?.exists() {
        systemd.run_job(Verb::Stop, unit.as_str(), JOB_LIMIT)?;
        systemd.disable(unit.as_str())?;
    }
    Ok(())
}

/// Asks systemd's own parser, before anything is written. Where the program is not installed, the timer is refused
/// when it is loaded.
fn check_calendar(calendar: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    match hands.host.query(&Program::new(["systemd-analyze", "calendar", "--", calendar])) {
        Ok(answer) if !answer.success() => {
            Err(ResourceError::Blocked(format!("calendar {calendar:?}: {}", answer.last_words())))
        }
        _ => Ok(()),
    }
}
