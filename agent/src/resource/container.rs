//! Containers by podman. `unit` and `quadlet` are the contents of the two files of which `form` says which one counts;
//! `image` is the digest of what really runs. `foreign` says whose the container is, where it is not ours.

use super::generated_unit::{MISSING, keep_files, observe_file, paths_of};
use super::listing::Listing;
use super::service::{apply::react, at_rest, unit_name};
use super::unit::check_systemd;
use super::unit_look::observe_unit;
use super::{Change, Hands, Reaction, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::provider::systemd::{FileState, UnitName};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{ContainerSpec, Existence};
use podman::{Containers, Form};
use std::borrow::Cow;

mod apply;
mod podman;
mod render;
#[cfg(test)]
mod tests;

const FORM: &str = "form";
const UNIT: &str = "unit";
const QUADLET: &str = "quadlet";
const RUNNING: &str = "running";
const ENABLED: &str = "enabled";
const IMAGE: &str = "image";
const FOREIGN: &str = "foreign";
const NO_PODMAN: &str = "podman is not installed";

impl ResourceType for ContainerSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        if self.image.is_none() {
            return Wanted::default();
        }
        let [unit, quadlet] = contents_of(self);
        let running = self.running.unwrap_or(true);
        Wanted::default()
            .with(UNIT, Some(unit))
            .with(QUADLET, Some(quadlet))
            .with(RUNNING, Some(running))
            .with(ENABLED, Some(self.enabled.unwrap_or(true)))
            .with(IMAGE, self.digest().filter(|_| running).map(str::to_owned))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        check_systemd(view)?;
        let [unit_path, quadlet_path] = paths_of::<ContainerSpec>(id)?;
        let (unit_file, quadlet) = (observe_file(&unit_path, view)?, observe_file(&quadlet_path, view)?);
        let name = unit_of(id)?;
        let form = Form::of_host(view.reader().as_mut())?;
        let unit = at_rest(observe_unit(&name, view)?, &name, self.running.or(Some(true)), view)?;
        let containers = form.map(|_| view.once(|view| Containers::load(view.host()))).transpose()?;
        let container = containers.as_ref().and_then(|containers| containers.0.get(id));
        if unit_file == MISSING.into() && quadlet == MISSING.into() {
            let foreign = container.filter(|container| container.unit.as_deref() != Some(name.as_str()));
            return Ok(foreign.map_or(State::Absent, |container| {
                let by = container.unit.clone().unwrap_or_else(|| "somebody".to_owned());
                let (image, running) = (container.image.clone(), container.running);
                State::present([(FOREIGN, by.into()), (IMAGE, image.into()), (RUNNING, running.into())])
            }));
        }
        let enabled = match form {
            Some(Form::Quadlet) => self.enabled != Some(false),
            _ => unit.file == Some(FileState::Enabled),
        };
        let mut state = State::present([
            (UNIT, unit_file),
            (QUADLET, quadlet),
            (RUNNING, unit.runs().into()),
            (ENABLED, enabled.into()),
        ]);
        if let State::Present(attributes) = &mut state {
            let word = form.map(|form| (Cow::Borrowed(FORM), form.word().into()));
            let image = container.filter(|container| container.running && unit.runs());
            attributes.extend(word);
            attributes.extend(image.map(|container| (Cow::Borrowed(IMAGE), container.image.clone().into())));
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if let Some(by) = observed.get(FOREIGN).and_then(Value::text) {
            let reason = format!("{by} made a container of this name: remove it, or take another name");
            return Err(ResourceError::Blocked(reason));
        }
        let mut wanted = wanted.clone();
        if let (State::Present(asked), State::Present(found)) = (&mut wanted.state, observed) {
            let Some(form) = found.get(FORM).and_then(Value::text) else {
                return Err(ResourceError::Blocked(NO_PODMAN.to_owned()));
            };
            let [unit, quadlet] = contents_of(self);
            let (other, ours) = if form == QUADLET { (UNIT, unit) } else { (QUADLET, quadlet) };
            if asked.get(other) == Some(&ours.into()) {
                asked.insert(Cow::Borrowed(other), MISSING.into());
            }
            // The quadlet says it itself.
            if form == QUADLET {
                asked.remove(ENABLED);
            }
            // What does not run has no image.
            if !found.contains_key(IMAGE) {
                asked.remove(IMAGE);
            }
        }
        Ok(change::diff_attributes(&wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        keep_files([UNIT, QUADLET].into_iter().zip(paths_of::<ContainerSpec>(id)?), change, view, vault)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        apply::change_container(self, id, change, hands)
    }

    fn react(&self, id: &str, reaction: Reaction, hands: &Hands<'_>) -> Result<(), ResourceError> {
        react(&unit_of(id)?, reaction, hands)
    }

    fn starts(&self, change: &Change) -> bool {
        // One that runs is restarted for its own sake.
        let anew = [UNIT, QUADLET, IMAGE].iter().any(|name| change.after(name).is_some());
        anew || change.after(RUNNING) == Some(&Value::Bool(true))
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        paths_of::<ContainerSpec>(id).into_iter().flatten().collect()
    }

    fn watched_unit(&self, id: &str) -> Option<UnitName> {
        unit_of(id).ok()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_containers)
    }
}

/// What both files hold where this specification counts.
fn contents_of(spec: &ContainerSpec) -> [BlobRef; 2] {
    [render::render_unit(spec), render::render_quadlet(spec)].map(|text| BlobRef::of(text.as_bytes()))
}

pub(super) fn unit_of(id: &str) -> Result<UnitName, ResourceError> {
    let [unit, _] = paths_of::<ContainerSpec>(id)?;
    unit_name(unit.name())
}

/// All that podman has, ours and others.
fn list_containers(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    if Form::of_host(view.reader().as_mut())?.is_none() {
        return Ok(Vec::new());
    }
    Ok(view.once(|view| Containers::load(view.host()))?.0.keys().cloned().collect())
}
