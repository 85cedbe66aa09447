//! Changing packages: one transaction for all that come in the same way, then the holds.

use super::{HOLD, PROVIDED_BY, asks_for, goal_of, name_of, no_manager, options_of, refuse};
use crate::host::Notes;
use crate::plan::Target;
use crate::provider::package::{
    PackageAction, PackageChange, PackageError, PackageManager, PackageName, PackageOptions, Surroundings, Transaction,
    VersionDemand, choose_manager,
};
use crate::resource::{BatchItem, Change, Hands, ResourceError, Value};
use muster_schema::resource::{PackageSpec, Spec};
use muster_schema::{Address, Collection};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// What the removal of a package that we installed needs to know.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    /// Packages that were installed with it, and not for their own sake.
    brought: BTreeSet<String>,
}

pub(super) fn apply_batch(items: &[BatchItem<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let package = |item: &BatchItem<'_>| match &item.resource.spec {
        Spec::Package(spec) => spec.clone(),
        _ => PackageSpec::default(),
    };
    let specs: Vec<PackageSpec> = items.iter().map(package).collect();
    let work: Vec<(&str, &PackageSpec, &Change)> =
        items.iter().zip(&specs).map(|(item, spec)| (item.resource.address.id(), spec, item.change)).collect();
    apply_packages(&work, hands)
}

/// Makes all changes: those of packages in one transaction, then the holds.
pub(super) fn apply_packages(
    work: &[(&str, &PackageSpec, &Change)],
    hands: &Hands<'_>,
) -> Vec<Result<(), ResourceError>> {
    let manager = match choose_manager(hands.host.reader().as_mut()) {
        Ok(manager) => manager,
        Err(error) => {
            let told = no_manager(error).chain();
            return work.iter().map(|_| Err(ResourceError::Failed(told.clone()))).collect();
        }
    };
    let transaction = Transaction::new(manager, hands.host, hands.timeout);
    let planned: Vec<Result<Option<PackageChange>, ResourceError>> =
        work.iter().map(|(id, spec, change)| package_change(id, spec, change, hands.host.notes(), manager)).collect();
    let created = work.iter().filter(|(_, _, change)| change.creates()).map(|(id, _, _)| *id).collect();
    let mut surroundings = Managed { hands, created };
    if manager.holds_bar_changes() {
        lift_holds(&planned, manager, &transaction);
    }
    let made = change_all(&planned, &transaction, &mut surroundings);
    let mut answers: Vec<Result<(), ResourceError>> = planned
        .into_iter()
        .zip(work)
        .zip(made)
        .map(|((planned, one), made)| match planned? {
            Some(_) => made.map_err(|error| refused(error, *one)),
            None => Ok(()),
        })
        .collect();
    for (hold, names) in holds(work, &answers, manager) {
        let plain: Vec<PackageName> = names.values().cloned().collect();
        if let Err(error) = manager.set_hold(&plain, hold, &transaction) {
            let told = refuse(error).chain();
            for (at, _) in names {
                if let Some(answer) = answers.get_mut(at) {
                    *answer = Err(ResourceError::Failed(told.clone()));
                }
            }
        }
    }
    for ((id, _, change), answer) in work.iter().zip(&answers) {
        if answer.is_ok() && change.removes() {
            surroundings.hand_over(id, manager);
            surroundings.forget(id);
        }
    }
    answers
}

/// Lifts the holds that stand against changes which have leave. Those that stay wanted are said again afterwards; what
/// could not be lifted shows when the change is tried.
fn lift_holds(
    planned: &[Result<Option<PackageChange>, ResourceError>],
    manager: &dyn PackageManager,
    transaction: &Transaction<'_>,
) {
    let host = transaction.host();
    let Ok(database) = manager.load_database(host.as_read(), host.reader().as_mut(), &[]) else { return };
    let is_held = |name: &PackageName| database.get(name.as_str()).is_some_and(|installed| installed.hold);
    let changes = planned.iter().filter_map(|planned| planned.as_ref().ok()?.as_ref());
    let held: Vec<PackageName> =
        changes.filter(|change| change.allow_held && is_held(&change.name)).map(|change| change.name.clone()).collect();
    if !held.is_empty()
        && let Err(error) = manager.set_hold(&held, false, transaction)
    {
        tracing::warn!(%error, "holds stay in the way of changes");
    }
}

/// One transaction for all changes that come in the same way. The answers are in the order of `planned`.
fn change_all(
    planned: &[Result<Option<PackageChange>, ResourceError>],
    transaction: &Transaction<'_>,
    surroundings: &mut Managed<'_>,
) -> Vec<Result<(), PackageError>> {
    let mut groups: BTreeMap<PackageOptions, Vec<(usize, PackageChange)>> = BTreeMap::new();
    for (at, change) in planned.iter().enumerate() {
        if let Ok(Some(change)) = change {
            // A release is said of each package by itself.
            let way = PackageOptions { release: None, ..change.options.clone() };
            groups.entry(way).or_default().push((at, change.clone()));
        }
    }
    let mut answers: Vec<Result<(), PackageError>> = planned.iter().map(|_| Ok(())).collect();
    for members in groups.into_values() {
        let (places, changes): (Vec<usize>, Vec<PackageChange>) = members.into_iter().unzip();
        for (at, made) in places.into_iter().zip(transaction.change_packages(&changes, surroundings)) {
            if let Some(answer) = answers.get_mut(at) {
                *answer = made;
            }
        }
    }
    answers
}

/// What the transaction is to do, if anything.
pub(super) fn package_change(
    id: &str,
    spec: &PackageSpec,
    change: &Change,
    notes: Option<&Notes>,
    manager: &dyn PackageManager,
) -> Result<Option<PackageChange>, ResourceError> {
    let mut name = name_of(id, spec, manager)?;
    let action = if change.removes() {
        let note = load_note(id, notes)?;
        if let Some(providers) = change.before.get(PROVIDED_BY).and_then(Value::list) {
            let ours = providers.iter().find(|provider| note.brought.contains(*provider));
            let Some(ours) = ours else {
                let names = providers.join(", ");
                return Err(ResourceError::Blocked(format!(
                    "it is a virtual package, provided by {names}; name that one"
                )));
            };
            name = name_of(ours, &PackageSpec::default(), manager)?;
        }
        PackageAction::Remove { brought: note.brought.into_iter().filter(|other| *other != name.as_str()).collect() }
    } else {
        match goal_of(change) {
            Some(Value::Bool(_)) => PackageAction::Upgrade,
            Some(version) => PackageAction::Install { version: version.text().map(VersionDemand::new) },
            None if change.creates() => PackageAction::Install { version: None },
            None => return Ok(None),
        }
    };
    let allow_downgrade = spec.allow_downgrade == Some(true);
    // Who says `hold` says that the package changes by this specification alone; and a hold of ours that goes is none.
    let lets_go = change.after(HOLD).and_then(Value::bool) == Some(false) && !change.creates();
    let allow_held = spec.hold.is_some() || lets_go;
    Ok(Some(PackageChange { name, action, allow_downgrade, allow_held, options: options_of(spec) }))
}

/// The names to hold and those to let go, of packages that are in place, by their place in `work`.
fn holds(
    work: &[(&str, &PackageSpec, &Change)],
    answers: &[Result<(), ResourceError>],
    manager: &dyn PackageManager,
) -> BTreeMap<bool, BTreeMap<usize, PackageName>> {
    let mut holds: BTreeMap<bool, BTreeMap<usize, PackageName>> = BTreeMap::new();
    for (at, ((id, spec, change), answer)) in work.iter().zip(answers).enumerate() {
        // What is new is held by nobody.
        let hold = change.after(HOLD).and_then(Value::bool).filter(|hold| *hold || !change.creates());
        let hold = hold.filter(|_| answer.is_ok());
        let moved = spec.hold == Some(true)
            && goal_of(change).is_some()
            && (manager.holds_one_version() || manager.holds_bar_changes());
        let hold = hold.or((moved && answer.is_ok()).then_some(true));
        if let (Some(hold), Ok(name)) = (hold, name_of(id, spec, manager)) {
            holds.entry(hold).or_default().insert(at, name);
        }
    }
    holds
}

/// A version to go back to may not be in any archive any more: then the newer one stays.
pub(super) fn refused(error: PackageError, (_, spec, change): (&str, &PackageSpec, &Change)) -> ResourceError {
    let goal = goal_of(change).and_then(Value::text);
    match error {
        PackageError::NoVersion(reason) if goal.is_some_and(|goal| !asks_for(spec, goal)) => {
            ResourceError::Retained(reason)
        }
        // What provides a virtual package may have come for something else as well.
        PackageError::Refused(reason) if change.before.get(PROVIDED_BY).is_some() => ResourceError::Retained(reason),
        other => refuse(other),
    }
}

fn address_of(id: &str) -> io::Result<Address> {
    Address::new(Collection::Packages, id).map_err(io::Error::other)
}

fn load_note(id: &str, notes: Option<&Notes>) -> Result<Note, ResourceError> {
    let Some(notes) = notes else { return Ok(Note::default()) };
    let note = address_of(id).and_then(|address| notes.load(&address));
    Ok(note
        .map_err(|error| ResourceError::Failed(format!("what came with it cannot be read: {error}")))?
        .unwrap_or_default())
}

/// What the manifest and the notes say around a transaction.
struct Managed<'a> {
    hands: &'a Hands<'a>,
    created: Vec<&'a str>,
}

impl Managed<'_> {
    /// What came with a package that went, and is needed by others of ours by now, goes with the last of them.
    fn hand_over(&self, id: &str, manager: &dyn PackageManager) {
        let (Some(notes), Ok(gone)) = (self.hands.host.notes(), load_note(id, self.hands.host.notes())) else { return };
        let host = self.hands.host.as_read();
        let Ok(database) = manager.load_database(host, host.reader().as_mut(), &[]) else { return };
        let left: BTreeSet<String> = gone.brought.into_iter().filter(|name| database.get(name).is_some()).collect();
        let packages = self.hands.schedule.targets.iter().map(Target::address);
        let others = packages.filter(|address| address.collection() == Collection::Packages && address.id() != id);
        for address in others.filter(|_| !left.is_empty()) {
            // Of what was there before us there is no note.
            let Ok(Some(mut note)) = notes.load::<Note>(address) else { continue };
            note.brought.extend(left.iter().cloned());
            if let Err(error) = notes.save(address, &note) {
                tracing::warn!(package = id, %error, "what came with a package that went stays");
            }
        }
    }

    fn forget(&self, id: &str) {
        let Some(notes) = self.hands.host.notes() else { return };
        if let Err(error) = address_of(id).and_then(|address| notes.forget(&address)) {
            tracing::warn!(package = id, %error, "the note about a package that went stays");
        }
    }
}

impl Surroundings for Managed<'_> {
    fn is_managed(&self, name: &str) -> bool {
        self.hands.expects(Collection::Packages, name)
    }

    fn note_brought(&mut self, changes: &[PackageChange], brought: &[String]) -> io::Result<()> {
        let Some(notes) = self.hands.host.notes() else { return Ok(()) };
        for change in changes.iter().filter(|change| self.created.contains(&change.name.as_str())) {
            let address = address_of(change.name.as_str())?;
            let mut note: Note = notes.load(&address)?.unwrap_or_default();
            note.brought.extend(brought.iter().cloned());
            notes.save(&address, &note)?;
        }
        Ok(())
    }
}
