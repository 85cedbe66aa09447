//! Changing units: those of one stage together, so that systemd reads its files anew once.

use super::{ENABLED, MASKED, RUNNING, unit_name};
use crate::provider::systemd::{FileState, Systemd, SystemdError, UnitName, UnitState, Verb};
use crate::resource::{Change, Hands, Reaction, ResourceError, Value};
use std::thread::sleep;
use std::time::Duration;

/// How long a job may take where nothing is said; units have limits of their own, which are shorter.
const JOB_LIMIT: Duration = Duration::from_secs(300);
/// A service that starts and falls has fallen by then.
const SETTLE: Duration = Duration::from_millis(200);

/// One unit, and what is to become of it.
struct Task {
    name: UnitName,
    unit: UnitState,
    running: Option<bool>,
    enabled: Option<bool>,
    masked: Option<bool>,
}

type Answer = Result<(), ResourceError>;

/// Makes the changes: first what makes the rest possible, last what makes it impossible. Answers in their order.
pub(super) fn change_units(changes: &[(&str, &Change)], hands: &Hands<'_>) -> Vec<Answer> {
    let systemd = match Systemd::connect() {
        Ok(systemd) => systemd,
        Err(error) => {
            let reason = ResourceError::from(error).to_string();
            return changes.iter().map(|_| Err(ResourceError::Failed(reason.clone()))).collect();
        }
    };
    let mut tasks: Vec<Result<Task, ResourceError>> =
        changes.iter().map(|(id, change)| begin(&systemd, id, change)).collect();
    step(&mut tasks, |task| change_files(&systemd, task));
    read_files_anew(&systemd, &mut tasks, |task| task.enabled.is_some() || task.masked == Some(false));
    step(&mut tasks, |task| match task.running {
        Some(false) if task.unit.exists() => Ok(systemd.run_job(Verb::Stop, &task.unit.id, limit(hands))?),
        _ => Ok(()),
    });
    step(&mut tasks, |task| if task.masked == Some(true) { Ok(systemd.mask(&task.unit.id)?) } else { Ok(()) });
    read_files_anew(&systemd, &mut tasks, |task| task.masked == Some(true));
    step(&mut tasks, |task| if task.running == Some(true) { start(&systemd, task, hands) } else { Ok(()) });
    if tasks.iter().flatten().any(|task| task.running == Some(true)) {
        sleep(SETTLE);
        step(&mut tasks, |task| if task.running == Some(true) { check_that_it_runs(&systemd, task) } else { Ok(()) });
    }
    tasks.into_iter().map(|task| task.map(drop)).collect()
}

fn begin(systemd: &Systemd, id: &str, change: &Change) -> Result<Task, ResourceError> {
    let name = unit_name(id)?;
    let unit = systemd.load_unit(&name)?;
    let asked = |name: &str| change.after(name).and_then(Value::bool);
    if !unit.exists() && asked(MASKED) != Some(true) {
        return Err(ResourceError::Blocked(format!("there is no unit {name}")));
    }
    let (running, enabled) = match change.removes() {
        // What cannot be enabled cannot be disabled either.
        true => (Some(false), (unit.file == Some(FileState::Enabled)).then_some(false)),
        false => (asked(RUNNING), asked(ENABLED)),
    };
    Ok(Task { name, unit, running, enabled, masked: asked(MASKED) })
}

/// Goes on with those that did not fail.
fn step(tasks: &mut [Result<Task, ResourceError>], change: impl Fn(&Task) -> Answer) {
    for slot in tasks {
        if let Ok(task) = slot
            && let Err(error) = change(task)
        {
            *slot = Err(error);
        }
    }
}

fn change_files(systemd: &Systemd, task: &Task) -> Answer {
    let Task { unit, .. } = task;
    let unmasks = task.masked == Some(false) && unit.is_masked();
    if unmasks {
        systemd.unmask(&unit.id)?;
    }
    match task.enabled {
        Some(true) => systemd.enable(&unit.id)?,
        Some(false) if unit.exists() && (unmasks || !unit.is_masked()) => systemd.disable(&unit.id)?,
        _ => {}
    }
    Ok(())
}

fn read_files_anew(systemd: &Systemd, tasks: &mut [Result<Task, ResourceError>], concerns: impl Fn(&Task) -> bool) {
    if !tasks.iter().flatten().any(&concerns) {
        return;
    }
    if let Err(error) = systemd.reload() {
        let reason = ResourceError::from(error).to_string();
        step(tasks, |task| if concerns(task) { Err(ResourceError::Failed(reason.clone())) } else { Ok(()) });
    }
}

/// A start would cut short a stop that somebody else waits for, and one that restarts it needs none.
fn start(systemd: &Systemd, task: &Task, hands: &Hands<'_>) -> Answer {
    let unit = match systemd.await_rest(&task.name, limit(hands))? {
        unit if unit.active == "deactivating" => return Err(SystemdError::Timeout("its stop").into()),
        unit => unit,
    };
    if unit.runs() {
        return Ok(());
    }
    Ok(systemd.run_job(Verb::Start, &unit.id, limit(hands))?)
}

/// Restarts or reloads a unit, if it runs.
pub(in crate::resource) fn react(name: &UnitName, reaction: Reaction, hands: &Hands<'_>) -> Answer {
    let systemd = Systemd::connect()?;
    let unit = systemd.load_unit(name)?;
    if !unit.runs() {
        return Ok(());
    }
    let verb = match reaction {
        Reaction::Read => return Ok(systemd.reload_if_needed(&unit.id)?),
        Reaction::Restart => Verb::Restart,
        Reaction::Reload | Reaction::Run => Verb::Reload,
    };
    systemd.run_job(verb, &unit.id, limit(hands))?;
    sleep(SETTLE);
    check_that_it_runs(&systemd, &Task { name: name.clone(), unit, running: Some(true), enabled: None, masked: None })
}

/// The job is done as soon as the program is started; a program that cannot read its configuration ends right then.
fn check_that_it_runs(systemd: &Systemd, task: &Task) -> Answer {
    let unit = systemd.load_unit(&task.name)?;
    if unit.runs() {
        return Ok(());
    }
    Err(ResourceError::Failed(format!("it ended at once: {}", systemd.reason(&unit.id))))
}

fn limit(hands: &Hands<'_>) -> Duration {
    hands.timeout.unwrap_or(JOB_LIMIT)
}
