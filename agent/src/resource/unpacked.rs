//! Trees that come as a whole, archives and checkouts. One attribute says which one, by its digest and how it is laid
//! out; `differs` says what of it is not as it was unpacked.
//!
//! What was unpacked is known by an inventory, a note of the agent's that is written before the first file. It also
//! holds what was replaced. A file that is neither as it was unpacked nor as it was found is somebody's work: it is
//! healed as drift, but never removed.

use super::ownership::wanted_owner;
use super::purge::ANY_NAME;
use super::some_of::some_of;
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted};
use crate::host::{HostPath, Notes, Scope};
use crate::plan::Target;
use inventory::{Inventory, path_in};
use muster_schema::resource::{Existence, ResourceSpec};
use muster_schema::{Address, Collection};
use others::Others;
use std::collections::BTreeMap;
use std::fs::File;

mod inventory;
mod others;
mod plan;
mod remove;
mod unpack;

/// The types.
const COLLECTIONS: [Collection; 2] = [Collection::Archives, Collection::Checkouts];

const DIFFERS: &str = "differs";

/// A type whose things are unpacked into a folder and known by an inventory.
pub(super) trait Unpacked: ResourceSpec {
    /// Its collection.
    const COLLECTION: Collection;

    /// What `identity` is called.
    const WHOLE: &str;

    /// What it is as a whole: another one is to be unpacked anew. Empty where it is said nowhere.
    fn identity(&self) -> String;

    /// The owner and the group of everything in it, as names or numbers.
    fn ownership(&self) -> (&Option<String>, &Option<String>);

    /// How many leading parts of each name are left out.
    fn strip(&self) -> u32 {
        0
    }

    /// The most entries that are taken.
    fn max_entries(&self) -> Option<u32>;

    /// Brings it here, as a plain tar, checked to be the one that was asked for.
    fn open_tar(&self, hands: &Hands<'_>) -> Result<File, ResourceError>;
}

impl<T: Unpacked> ResourceType for T {
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        let form = Some(form_of(self, scope)).filter(|_| existence != Existence::Absent);
        let wanted = Wanted::default().with(DIFFERS, Some(Vec::new()));
        wanted.with(T::WHOLE, Some(form.map_or(Value::Nothing, Value::from)))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let dest = dest_of(self)?;
        let Some(inventory) = load_note(&address_of::<T>(id)?, view.host().notes())?.remove(dest.as_str()) else {
            return Ok(State::present([(T::WHOLE, Value::Nothing), (DIFFERS, Vec::new().into())]));
        };
        let others = Others::of(view.targets().unwrap_or_default(), &address_of::<T>(id)?);
        let differs = some_of(inventory.differences(&dest, &others, view.reader().as_mut())?);
        Ok(State::present([(T::WHOLE, inventory.archive.clone().into()), (DIFFERS, differs.into())]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let asked = wanted.state.get(T::WHOLE);
        if asked.is_some_and(|asked| *asked != Value::Nothing) {
            super::check_sense(self)?;
        } else if asked == observed.get(T::WHOLE) {
            return Ok(None);
        }
        Ok(super::change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let dest = dest_of(self)?;
        let Some(notes) = hands.host.notes() else {
            return Err(ResourceError::Blocked("nothing can be written down here".to_owned()));
        };
        let address = address_of::<T>(id)?;
        let known = load_note(&address, Some(notes))?.remove(dest.as_str()).unwrap_or_default();
        let others = Others::of(&hands.schedule.targets, &address);
        let place = Place { address, dest, notes, others };
        let form = form_of(self, hands.host.scope());
        match change.after(T::WHOLE) {
            Some(Value::Nothing) => remove::take_away(known, &place, hands),
            Some(other) if other.text() != Some(form.as_str()) => {
                Err(ResourceError::Retained("what was unpacked before is not at hand any more".to_owned()))
            }
            _ => unpack::unpack(self, form, known, &place, hands),
        }
    }

    fn foresee(&self, id: &str, change: &Change, view: &View<'_>) -> Option<String> {
        if change.after(T::WHOLE) != Some(&Value::Nothing) {
            return None;
        }
        let dest = dest_of(self).ok()?;
        let address = address_of::<T>(id).ok()?;
        let inventory = load_note(&address, view.host().notes()).ok()?.remove(dest.as_str())?;
        let others = Others::of(view.targets().unwrap_or_default(), &address);
        let edited = remove::edited_in(&inventory, &dest, &others, view.reader().as_mut()).ok()?;
        (!edited.is_empty()).then(|| stay_because(&edited))
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn is_risky(&self, _: &str) -> bool {
        self.own_path().is_some_and(super::risk::reaches_risky_path)
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        let dest = dest_of(self).ok();
        let inside = dest.as_ref().and_then(|dest| dest.join(ANY_NAME).ok());
        dest.into_iter().chain(inside).collect()
    }
}

/// Paths that were unpacked and that are to stay.
pub(super) fn unpacked_paths(targets: &[Target], notes: Option<&Notes>) -> Vec<HostPath> {
    let unpacked = targets.iter().filter(|target| COLLECTIONS.contains(&target.address().collection()));
    let inventories = unpacked.filter_map(|target| load_note(target.address(), notes).ok());
    let paths_of = |(dest, inventory): (String, Inventory)| {
        let dest = HostPath::new(&dest).ok();
        let stays = inventory.things.into_iter().filter(|(_, thing)| !thing.leaves);
        stays.filter_map(|(name, _)| path_in(dest.as_ref()?, &name).ok()).collect::<Vec<_>>()
    };
    inventories.flatten().flat_map(paths_of).collect()
}

/// Where it goes, and who else has a say there.
struct Place<'a> {
    address: Address,
    dest: HostPath,
    notes: &'a Notes,
    others: Others,
}

impl Place<'_> {
    /// Writes down what is there of it; nothing forgets it.
    fn save(&self, inventory: Option<&Inventory>) -> Result<(), ResourceError> {
        let mut all = load_note(&self.address, Some(self.notes))?;
        match inventory {
            Some(inventory) => drop(all.insert(self.dest.to_string(), inventory.clone())),
            None => drop(all.remove(self.dest.as_str())),
        }
        let saved =
            if all.is_empty() { self.notes.forget(&self.address) } else { self.notes.save(&self.address, &all) };
        saved.map_err(|error| ResourceError::Failed(format!("the agent's notes cannot be written: {error}")))
    }
}

/// By destination: what moves is unpacked in two for a while.
fn load_note(address: &Address, notes: Option<&Notes>) -> Result<BTreeMap<String, Inventory>, ResourceError> {
    let Some(notes) = notes else { return Ok(BTreeMap::new()) };
    let unread = |error: std::io::Error| ResourceError::Failed(format!("the agent's notes cannot be read: {error}"));
    Ok(notes.load(address).map_err(unread)?.unwrap_or_default())
}

fn stay_because(edited: &[String]) -> String {
    format!(
        "edited since it was unpacked, so it stays until somebody removes it: {}",
        some_of(edited.to_vec()).join(", ")
    )
}

fn address_of<T: Unpacked>(id: &str) -> Result<Address, ResourceError> {
    Address::new(T::COLLECTION, id).map_err(|error| ResourceError::Failed(error.to_string()))
}

fn dest_of(spec: &impl Unpacked) -> Result<HostPath, ResourceError> {
    let dest = spec.own_path().unwrap_or_default();
    HostPath::new(dest).map_err(|error| ResourceError::Blocked(format!("'dest': {error}")))
}

/// What is unpacked, and how.
fn form_of(spec: &impl Unpacked, scope: Scope) -> String {
    let mut form = spec.identity();
    if spec.strip() > 0 {
        form = format!("{form} strip {}", spec.strip());
    }
    let (owner, group) = spec.ownership();
    match (wanted_owner(owner, scope), wanted_owner(group, scope)) {
        (None, None) => form,
        (owner, group) => format!("{form} {}:{}", owner.unwrap_or_default(), group.unwrap_or_default()),
    }
}
