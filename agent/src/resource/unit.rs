//! Unit files of systemd: files like others, which systemd is told of.

use super::entry::{self, CONTENT, Candidacy, TARGET};
use super::listing::{Listing, list_files, list_names};
use super::ownership::{GROUP, MODE, OWNER};
use super::service::apply::react;
use super::{
    Batch, BatchItem, Change, Hands, Reaction, ResourceError, ResourceType, State, Value, View, Wanted, change,
};
use crate::host::{FileKind, HostError, HostPath, NewAttributes, Scope};
use crate::provider::systemd::{Systemd, UnitName};
use crate::vault::Vault;
use muster_schema::resource::{Existence, OnChange, UnitSpec};

#[cfg(test)]
mod tests;

/// The folder of the units that belong to the host's administrator.
const FOLDER: &str = "/etc/systemd/system";
/// It is there where systemd is the first process.
const BOOTED: &str = "/run/systemd/system";
/// A link to it in the place of a unit's file masks the unit.
const MASK: &str = "/dev/null";

impl ResourceType for UnitSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default()
            .with(CONTENT, self.content)
            .with(OWNER, Some("root"))
            .with(GROUP, Some("root"))
            .with(MODE, Some("0644"))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        check_systemd(view)?;
        entry::observe_entry(unit_path(id)?.as_str(), true, None, None, view)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        diff_unit_file(wanted, observed)
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        entry::keep_entry(unit_path(id)?.as_str(), change, view, vault)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        change_unit_file(&unit_path(id)?, change, hands)?;
        tell_systemd()
    }

    fn batch(&self) -> Option<Batch> {
        Some(apply_batch)
    }

    fn reacts_to_itself(&self) -> Option<Reaction> {
        Some(match self.on_change.unwrap_or_default() {
            OnChange::None => Reaction::Read,
            OnChange::Reload => Reaction::Reload,
            OnChange::Restart => Reaction::Restart,
        })
    }

    fn react(&self, id: &str, reaction: Reaction, hands: &Hands<'_>) -> Result<(), ResourceError> {
        // That of a template has instances, and that of a type many units.
        let unit = id.split_once(".d/").map_or(id, |(unit, _)| unit);
        UnitName::new(unit).map_or(Ok(()), |unit| react(&unit, reaction, hands))
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        unit_path(id).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_units)
    }
}

/// What the administrator of the host has put there, and drop-ins.
fn list_units(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let mut units = list_files(FOLDER, view)?;
    for folder in list_names(FOLDER, view)?.iter().filter(|name| name.ends_with(".d")) {
        let drop_ins = list_files(&format!("{FOLDER}/{folder}"), view)?;
        units.extend(drop_ins.into_iter().map(|name| format!("{folder}/{name}")));
    }
    Ok(units)
}

/// Where the file of a unit or drop-in is.
pub(super) fn unit_path(id: &str) -> Result<HostPath, ResourceError> {
    entry::path_of(&format!("{FOLDER}/{id}"))
}

/// As files are compared. The link that masks a unit is not replaced.
pub(super) fn diff_unit_file(wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
    entry::check_replaceable(observed)?;
    if wanted.state != State::Absent && *observed != State::Absent && entry::differs_in_type(&wanted.state, observed) {
        if observed.get(TARGET).and_then(Value::text) == Some(MASK) {
            return Err(ResourceError::Blocked("it is masked; only `masked: false` of its service unmasks it".into()));
        }
        return Ok(Some(Change { before: observed.clone(), after: wanted.on_new() }));
    }
    Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
}

/// Writes or removes the file, and the folder of a drop-in with it.
pub(super) fn change_unit_file(path: &HostPath, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let folder = path.parent().filter(|folder| folder.as_str() != FOLDER);
    if let Some(folder) = folder.as_ref().filter(|_| !change.removes())
        && hands.host.reader().meta(folder)?.is_none()
    {
        let new = NewAttributes { mode: Some(0o755), uid: Some(0), gid: Some(0) };
        hands.host.make_directory(folder, &new)?;
    }
    entry::apply_entry(path.as_str(), change, Candidacy::default(), hands)?;
    if let Some(folder) = folder.filter(|_| change.removes()) {
        match hands.host.remove(&folder, FileKind::Directory) {
            Ok(()) | Err(HostError::NotEmpty(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Refuses units where nobody would read them.
pub(super) fn check_systemd(view: &View<'_>) -> Result<(), ResourceError> {
    match view.reader().meta(&entry::path_of(BOOTED)?)? {
        Some(_) => Ok(()),
        None => Err(ResourceError::Blocked("systemd does not run on this host".to_owned())),
    }
}

/// Lets systemd read its files anew.
pub(super) fn tell_systemd() -> Result<(), ResourceError> {
    Ok(Systemd::connect()?.reload()?)
}

fn apply_batch(items: &[BatchItem<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let change = |item: &BatchItem<'_>| change_unit_file(&unit_path(item.resource.address.id())?, item.change, hands);
    let mut answers: Vec<Result<(), ResourceError>> = items.iter().map(change).collect();
    if let Err(error) = tell_systemd() {
        let reason = error.chain();
        for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
            *answer = Err(ResourceError::Failed(reason.clone()));
        }
    }
    answers
}
