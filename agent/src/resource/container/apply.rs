//! Changing a container: the image first, then the files, then what runs.

use super::podman::{self, Containers, Form};
use super::{ENABLED, IMAGE, NO_PODMAN, QUADLET, RUNNING, UNIT, contents_of, render, unit_of};
use crate::host::{FileKind, HostPath};
use crate::plan::Purpose;
use crate::provider::systemd::{Systemd, UnitName, Verb};
use crate::resource::generated_unit::{paths_of, write_file};
use crate::resource::system_text::{make_folder, remove_made_folder};
use crate::resource::{Change, Hands, ResourceError, Value, check_sense};
use muster_schema::resource::{ContainerSpec, Existence, Spec};
use muster_schema::{Address, Collection};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

/// The unit fetches an image that somebody removed.
const JOB_LIMIT: Duration = Duration::from_secs(900);
/// A container that starts and falls has fallen by then.
const SETTLE: Duration = Duration::from_millis(500);

/// The images that were fetched for a container, so that they can go with it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Note {
    fetched: BTreeSet<String>,
}

pub(super) fn change_container(
    spec: &ContainerSpec,
    id: &str,
    change: &Change,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let unit = unit_of(id)?;
    if change.removes() {
        return remove(id, &unit, hands);
    }
    let form = Form::of_host(hands.host.reader().as_mut())?;
    let form = form.ok_or_else(|| ResourceError::Blocked(NO_PODMAN.to_owned()))?;
    let [of_unit, of_quadlet] = contents_of(spec);
    let ours = change.after(UNIT) == Some(&of_unit.into()) || change.after(QUADLET) == Some(&of_quadlet.into());
    let asked = |name: &str| change.after(name).and_then(Value::bool);
    if ours || asked(RUNNING) == Some(true) || change.after(IMAGE).is_some() {
        check_sense(spec)?;
        fetch_image(spec, id, hands)?;
    }
    let systemd = Systemd::connect()?;
    if asked(RUNNING) == Some(false) {
        stop(&systemd, &unit)?;
    }
    // Taking a unit out of use needs its file.
    if asked(ENABLED) == Some(false) && form == Form::Unit && systemd.load_unit(&unit)?.exists() {
        systemd.disable(unit.as_str())?;
    }
    let changed = change_files(spec, id, change, form, hands)?;
    systemd.reload()?;
    if asked(ENABLED) == Some(true) && form == Form::Unit {
        systemd.enable(unit.as_str())?;
        systemd.reload()?;
    }
    let runs = systemd.load_unit(&unit)?.runs();
    let verb = match (runs, asked(RUNNING)) {
        (_, Some(false)) | (false, None) => None,
        (true, _) => (changed || change.after(IMAGE).is_some()).then_some(Verb::Restart),
        (false, Some(true)) => Some(Verb::Start),
    };
    if let Some(verb) = verb {
        systemd.run_job(verb, unit.as_str(), hands.timeout.unwrap_or(JOB_LIMIT))?;
        sleep(SETTLE);
        if !systemd.load_unit(&unit)?.runs() {
            return Err(ResourceError::Failed(format!("it ended at once: {}", systemd.reason(unit.as_str()))));
        }
    }
    forget_images(id, spec.image.as_deref(), hands)
}

/// Writes and removes the files of the change. Of a new container only the one that counts is written.
fn change_files(
    spec: &ContainerSpec,
    id: &str,
    change: &Change,
    form: Form,
    hands: &Hands<'_>,
) -> Result<bool, ResourceError> {
    let mut changed = false;
    let texts = [render::render_unit(spec), render::render_quadlet(spec)];
    let forms = [Form::Unit, Form::Quadlet];
    for (((name, path), text), own) in
        [UNIT, QUADLET].into_iter().zip(paths_of::<ContainerSpec>(id)?).zip(&texts).zip(forms)
    {
        match change.after(name) {
            None => {}
            Some(Value::Content(_)) if change.creates() && own != form => {}
            Some(Value::Content(content)) => {
                if let Some(folder) = path.parent() {
                    make_folder(&folder, hands)?;
                }
                write_file(path, content, text, hands)?;
                changed = true;
            }
            Some(_) => {
                remove_file(&path, hands)?;
                changed = true;
            }
        }
    }
    Ok(changed)
}

/// The folder of quadlets comes with no package, so one that was made for them goes with the last.
fn remove_file(path: &HostPath, hands: &Hands<'_>) -> Result<(), ResourceError> {
    hands.host.remove(path, FileKind::File)?;
    path.parent().map_or(Ok(()), |folder| remove_made_folder(&folder, hands))
}

fn remove(id: &str, unit: &UnitName, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let systemd = Systemd::connect()?;
    stop(&systemd, unit)?;
    let found = systemd.load_unit(unit)?;
    let [unit_path, quadlet_path] = paths_of::<ContainerSpec>(id)?;
    if found.exists() && hands.host.reader().meta(&unit_path)?.is_some() {
        systemd.disable(unit.as_str())?;
    }
    remove_file(&unit_path, hands)?;
    remove_file(&quadlet_path, hands)?;
    systemd.reload()?;
    systemd.forget_failure(unit.as_str());
    forget_images(id, None, hands)
}

fn stop(systemd: &Systemd, unit: &UnitName) -> Result<(), ResourceError> {
    let found = systemd.load_unit(unit)?;
    if found.exists() && found.active != "inactive" {
        systemd.run_job(Verb::Stop, unit.as_str(), JOB_LIMIT)?;
        // One that does not end by itself is killed, which is no fault here.
        systemd.forget_failure(unit.as_str());
    }
    Ok(())
}

fn fetch_image(spec: &ContainerSpec, id: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let Some(image) = spec.image.as_deref() else { return Ok(()) };
    if podman::has_image(image, hands)? {
        return Ok(());
    }
    with_note(id, hands, |note| note.fetched.insert(image.to_owned()))?;
    podman::pull(image, hands)
}

/// Lets the images go that were fetched for this container, but for the one that it has now. One that another container
/// is to have, or still has, is that one's from now on.
fn forget_images(id: &str, now: Option<&str>, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let mut old = BTreeSet::new();
    with_note(id, hands, |note| {
        let (kept, gone) = note.fetched.iter().cloned().partition(|image| Some(image.as_str()) == now);
        old = gone;
        note.fetched = kept;
        !old.is_empty()
    })?;
    for image in old {
        match other_user(&image, id, hands) {
            Some(other) => with_note(&other, hands, |note| note.fetched.insert(image.clone()))?,
            None => podman::remove_image(&image, hands),
        }
    }
    Ok(())
}

fn other_user(image: &str, id: &str, hands: &Hands<'_>) -> Option<String> {
    let others = hands.schedule.targets.iter().filter(|target| {
        target.purpose != Purpose::Leave
            && target.resource.meta.state != Existence::Absent
            && target.address().id() != id
    });
    let uses = others.into_iter().find(|target| match &target.resource.spec {
        Spec::Container(spec) => spec.image.as_deref() == Some(image),
        _ => false,
    });
    if let Some(target) = uses {
        return Some(target.address().id().to_owned());
    }
    let containers = Containers::load(hands.host.as_read()).ok()?;
    containers.user_of(image, id).map(str::to_owned)
}

/// Changes the note about a container; `change` answers whether there is anything new to write.
fn with_note(id: &str, hands: &Hands<'_>, change: impl FnOnce(&mut Note) -> bool) -> Result<(), ResourceError> {
    let Some(notes) = hands.host.notes() else { return Ok(()) };
    let address = Address::new(Collection::Containers, id).map_err(|error| ResourceError::Failed(error.to_string()))?;
    let failed = |error| ResourceError::Failed(format!("the note about the images of {address}: {error}"));
    let mut note: Note = notes.load(&address).map_err(failed)?.unwrap_or_default();
    if !change(&mut note) {
        return Ok(());
    }
    if note.fetched.is_empty() { notes.forget(&address) } else { notes.save(&address, &note) }.map_err(failed)
}
