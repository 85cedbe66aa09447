//! Services that are scripts: OpenRC and System V init.

use super::{ENABLED, MASKED, RUNNING, unit_name};
use crate::host::{FileKind, Reader};
use crate::provider::init_scripts::{InitScripts, ScriptVerb, script_path};
use crate::resource::{Change, Hands, Reaction, ResourceError, State, Value, View};
use muster_schema::resource::ServiceSpec;
use std::thread::sleep;
use std::time::Duration;

/// A service that starts and falls has fallen by then.
const SETTLE: Duration = Duration::from_millis(200);
const NO_STATUS: &str = "its script has no `status` that could tell whether it runs";

/// What there is of a service. Its script is only run where it is asked whether it runs.
pub(super) fn observe_script(
    spec: &ServiceSpec,
    id: &str,
    manager: InitScripts,
    view: &View<'_>,
) -> Result<State, ResourceError> {
    if spec.masked == Some(true) {
        return Err(ResourceError::Blocked(format!("{} cannot mask a service", manager.name())));
    }
    let name = script_name(id)?;
    let Some(text) = load_script(&name, &mut **view.reader())? else { return Ok(State::Absent) };
    let links = view.once(|view| manager.load_boot_links(&mut **view.reader()))?;
    let enabled = links.levels.contains_key(&name);
    let mut state = State::present([(ENABLED, enabled.into()), (MASKED, false.into())]);
    // One that is to be absent says neither.
    let matters = spec.running.is_some() || spec.enabled.is_none();
    if let (State::Present(attributes), true) = (&mut state, matters) {
        let tracked = manager.tracks(&text);
        let tells = tracked || text.windows(6).any(|word| word == b"status");
        if !tells {
            return Err(ResourceError::Blocked(NO_STATUS.to_owned()));
        }
        let stopped = tracked && !links.started.contains(&name);
        let running = !stopped && view.host().query(&manager.status(&name))?.success();
        attributes.insert(RUNNING.into(), running.into());
    }
    Ok(state)
}

/// Makes the change: what starts at boot first.
pub(super) fn change_script(
    id: &str,
    change: &Change,
    manager: InitScripts,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let name = script_name(id)?;
    let mut reader = hands.host.reader();
    let Some(text) = load_script(&name, reader.as_mut())? else {
        return Err(ResourceError::Blocked(format!("there is no service {name}")));
    };
    let links = manager.load_boot_links(reader.as_mut())?;
    let asked = |name: &str| change.after(name).and_then(Value::bool);
    let (running, enabled) =
        if change.removes() { (Some(false), Some(false)) } else { (asked(RUNNING), asked(ENABLED)) };
    let programs = match enabled {
        Some(true) => manager.enable(&name, reader.as_mut())?,
        Some(false) if links.levels.contains_key(&name) => manager.disable(&name, &links, reader.as_mut())?,
        _ => Vec::new(),
    };
    for program in &programs {
        hands.run(program)?;
    }
    match running {
        Some(true) => {
            // OpenRC takes one that fell for started, would not start it, and cannot stop it.
            if manager.tracks(&text) && links.started.contains(&name) {
                hands.run(&manager.forget(&name))?;
            }
            run(ScriptVerb::Start, &name, manager, hands)?;
            check_that_it_runs(&name, manager, hands)
        }
        Some(false) if runs(&name, manager, hands)? => run(ScriptVerb::Stop, &name, manager, hands),
        _ => Ok(()),
    }
}

/// Restarts or reloads a service, if it runs. One that cannot reload restarts.
pub(super) fn react_script(
    id: &str,
    reaction: Reaction,
    manager: InitScripts,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let name = script_name(id)?;
    if !runs(&name, manager, hands)? {
        return Ok(());
    }
    if reaction == Reaction::Restart || run(ScriptVerb::Reload, &name, manager, hands).is_err() {
        run(ScriptVerb::Restart, &name, manager, hands)?;
    }
    check_that_it_runs(&name, manager, hands)
}

fn check_that_it_runs(name: &str, manager: InitScripts, hands: &Hands<'_>) -> Result<(), ResourceError> {
    sleep(SETTLE);
    if runs(name, manager, hands)? { Ok(()) } else { Err(ResourceError::Failed("it ended at once".to_owned())) }
}

fn runs(name: &str, manager: InitScripts, hands: &Hands<'_>) -> Result<bool, ResourceError> {
    Ok(hands.host.query(&manager.status(name))?.success())
}

fn run(verb: ScriptVerb, name: &str, manager: InitScripts, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let mut program = manager.run(verb, name);
    program.timeout = hands.timeout;
    hands.run(&program).map(drop)
}

/// The name of a script: that of a service, without systemd's suffix.
fn script_name(id: &str) -> Result<String, ResourceError> {
    let unit = unit_name(id)?;
    match unit.as_str().strip_suffix(".service") {
        Some(name) if !name.starts_with(['.', '-']) => Ok(name.to_owned()),
        _ => Err(ResourceError::Blocked(format!("{unit} is a unit of systemd, which does not run on this host"))),
    }
}

fn load_script(name: &str, reader: &mut dyn Reader) -> Result<Option<Vec<u8>>, ResourceError> {
    let Some(path) = script_path(name) else { return Ok(None) };
    match reader.meta(&path)? {
        Some(meta) if meta.kind == FileKind::File => {
            let mut text = Vec::new();
            reader.copy(&path, &mut text)?;
            Ok(Some(text))
        }
        _ => Ok(None),
    }
}
