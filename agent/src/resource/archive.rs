//! Archives that are unpacked. `archive` says which one, by its digest and how it is laid out; `differs` what of it is
//! not as it was unpacked.
//!
//! What was unpacked is known by an inventory, a note of the agent's that is written before the first file. It also
//! holds what was replaced. A file that is neither as it was unpacked nor as it was found is somebody's work: it is
//! healed as drift, but never removed.

use super::ownership::wanted_owner;
use super::purge::ANY_NAME;
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted};
use crate::host::{HostPath, Notes, Scope};
use crate::plan::Target;
use inventory::{Inventory, path_in};
use muster_schema::resource::{ArchiveSpec, Existence};
use muster_schema::{Address, Collection};
use others::Others;
use std::collections::BTreeMap;

mod inventory;
mod others;
mod plan;
mod remove;
mod source;
mod unpack;

const ARCHIVE: &str = "archive";
const DIFFERS: &str = "differs";
/// So many names say enough.
const MAX_SHOWN: usize = 20;

impl ResourceType for ArchiveSpec {
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        let form = Some(form_of(self, scope)).filter(|_| existence != Existence::Absent);
        let wanted = Wanted::default().with(DIFFERS, Some(Vec::new()));
        wanted.with(ARCHIVE, Some(form.map_or(Value::Nothing, Value::from)))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let dest = dest_of(self)?;
        let Some(inventory) = load_note(id, view.host().notes())?.remove(dest.as_str()) else {
            return Ok(State::present([(ARCHIVE, Value::Nothing), (DIFFERS, Vec::new().into())]));
        };
        let others = Others::of(view.targets().unwrap_or_default(), id);
        let differs = some_of(inventory.differences(&dest, &others, view.reader().as_mut())?);
        Ok(State::present([(ARCHIVE, inventory.archive.clone().into()), (DIFFERS, differs.into())]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let asked = wanted.state.get(ARCHIVE);
        if asked.is_some_and(|asked| *asked != Value::Nothing) {
            super::check_sense(self)?;
        } else if asked == observed.get(ARCHIVE) {
            return Ok(None);
        }
        Ok(super::change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let dest = dest_of(self)?;
        let Some(notes) = hands.host.notes() else {
            return Err(ResourceError::Blocked("nothing can be written down here".to_owned()));
        };
        let known = load_note(id, Some(notes))?.remove(dest.as_str()).unwrap_or_default();
        let others = Others::of(&hands.schedule.targets, id);
        let place = Place { id: id.to_owned(), dest, notes, others };
        let form = form_of(self, hands.host.scope());
        match change.after(ARCHIVE) {
            Some(Value::Nothing) => remove::take_away(known, &place, hands),
            Some(other) if other.text() != Some(form.as_str()) => {
                Err(ResourceError::Retained("what was unpacked before is not at hand any more".to_owned()))
            }
            _ => unpack::unpack(self, form, known, &place, hands),
        }
    }

    fn foresee(&self, id: &str, change: &Change, view: &View<'_>) -> Option<String> {
        if change.after(ARCHIVE) != Some(&Value::Nothing) {
            return None;
        }
        let dest = dest_of(self).ok()?;
        let inventory = load_note(id, view.host().notes()).ok()?.remove(dest.as_str())?;
        let others = Others::of(view.targets().unwrap_or_default(), id);
        let edited = remove::edited_in(&inventory, &dest, &others, view.reader().as_mut()).ok()?;
        (!edited.is_empty()).then(|| stay_because(&edited))
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn is_risky(&self, _: &str) -> bool {
        self.dest.as_deref().is_some_and(super::risk::reaches_risky_path)
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        let dest = dest_of(self).ok();
        let inside = dest.as_ref().and_then(|dest| dest.join(ANY_NAME).ok());
        dest.into_iter().chain(inside).collect()
    }
}

/// Paths that archives have unpacked and that are to stay.
pub(super) fn unpacked_paths(targets: &[Target], notes: Option<&Notes>) -> Vec<HostPath> {
    let archives = targets.iter().filter(|target| target.address().collection() == Collection::Archives);
    let inventories = archives.filter_map(|target| load_note(target.address().id(), notes).ok());
    let paths_of = |(dest, inventory): (String, Inventory)| {
        let dest = HostPath::new(&dest).ok();
        let stays = inventory.things.into_iter().filter(|(_, thing)| !thing.leaves);
        stays.filter_map(|(name, _)| path_in(dest.as_ref()?, &name).ok()).collect::<Vec<_>>()
    };
    inventories.flatten().flat_map(paths_of).collect()
}

/// Where an archive goes, and who else has a say there.
struct Place<'a> {
    id: String,
    dest: HostPath,
    notes: &'a Notes,
    others: Others,
}

impl Place<'_> {
    /// Writes down what is there of the archive; nothing forgets it.
    fn save(&self, inventory: Option<&Inventory>) -> Result<(), ResourceError> {
        let address = address_of(&self.id)?;
        let mut all = load_note(&self.id, Some(self.notes))?;
        match inventory {
            Some(inventory) => drop(all.insert(self.dest.to_string(), inventory.clone())),
            None => drop(all.remove(self.dest.as_str())),
        }
        let saved = if all.is_empty() { self.notes.forget(&address) } else { self.notes.save(&address, &all) };
        saved.map_err(|error| ResourceError::Failed(format!("the agent's notes cannot be written: {error}")))
    }
}

/// By destination: an archive that moves is unpacked in two for a while.
fn load_note(id: &str, notes: Option<&Notes>) -> Result<BTreeMap<String, Inventory>, ResourceError> {
    let Some(notes) = notes else { return Ok(BTreeMap::new()) };
    let unread = |error: std::io::Error| ResourceError::Failed(format!("the agent's notes cannot be read: {error}"));
    Ok(notes.load(&address_of(id)?).map_err(unread)?.unwrap_or_default())
}

/// Names for people, and no more of them than they read.
fn some_of(mut names: Vec<String>) -> Vec<String> {
    if let Some(more) = names.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        names.truncate(MAX_SHOWN);
        names.push(format!("… and {more} more"));
    }
    names
}

fn stay_because(edited: &[String]) -> String {
    format!(
        "edited since it was unpacked, so it stays until somebody removes it: {}",
        some_of(edited.to_vec()).join(", ")
    )
}

fn address_of(id: &str) -> Result<Address, ResourceError> {
    Address::new(Collection::Archives, id).map_err(|error| ResourceError::Failed(error.to_string()))
}

fn dest_of(spec: &ArchiveSpec) -> Result<HostPath, ResourceError> {
    let dest = spec.dest.as_deref().unwrap_or_default();
    HostPath::new(dest).map_err(|error| ResourceError::Blocked(format!("'dest': {error}")))
}

/// What is unpacked, and how.
fn form_of(spec: &ArchiveSpec, scope: Scope) -> String {
    let mut form = spec.digest().map(|digest| digest.to_string()).unwrap_or_default();
    if let Some(strip) = spec.strip.filter(|strip| *strip > 0) {
        form = format!("{form} strip {strip}");
    }
    let (owner, group) = (wanted_owner(&spec.owner, scope), wanted_owner(&spec.group, scope));
    match (owner, group) {
        (None, None) => form,
        (owner, group) => format!("{form} {}:{}", owner.unwrap_or_default(), group.unwrap_or_default()),
    }
}
