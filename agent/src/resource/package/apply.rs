//! Changing packages: one transaction for all, then the holds.

use super::{HOLD, PROVIDED_BY, asks_for, check_name, goal_of};
use crate::provider::apt::{Apt, AptError, PackageAction, PackageChange, Surroundings};
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
    let apt = Apt::new(hands.host, hands.timeout);
    let planned: Vec<Result<Option<PackageChange>, ResourceError>> =
        work.iter().map(|(id, spec, change)| package_change(id, spec, change, hands)).collect();
    let changes: Vec<PackageChange> = planned.iter().filter_map(|planned| planned.as_ref().ok()?.clone()).collect();
    let created = work.iter().filter(|(_, _, change)| change.creates()).map(|(id, _, _)| *id).collect();
    let mut surroundings = Managed { hands, created };
    let made = if changes.is_empty() { Vec::new() } else { apt.change_packages(&changes, &mut surroundings) };
    let mut made = made.into_iter();
    let mut answers: Vec<Result<(), ResourceError>> = planned
        .into_iter()
        .zip(work)
        .map(|(planned, one)| match planned? {
            Some(_) => made.next().unwrap_or(Ok(())).map_err(|error| refused(error, *one)),
            None => Ok(()),
        })
        .collect();
    for (hold, names) in holds(work, &answers) {
        if let Err(error) = apt.set_hold(&names, hold) {
            let told = error.to_string();
            for ((id, _, _), answer) in work.iter().zip(&mut answers) {
                if names.iter().any(|name| name == id) {
                    *answer = Err(ResourceError::Failed(told.clone()));
                }
            }
        }
    }
    for ((id, _, change), answer) in work.iter().zip(&answers) {
        if answer.is_ok() && change.removes() {
            surroundings.forget(id);
        }
    }
    answers
}

/// What the transaction is to do, if anything.
fn package_change(
    id: &str,
    spec: &PackageSpec,
    change: &Change,
    hands: &Hands<'_>,
) -> Result<Option<PackageChange>, ResourceError> {
    let mut name = check_name(id)?;
    let action = if change.removes() {
        let note = load_note(id, hands)?;
        if let Some(providers) = change.before.get(PROVIDED_BY).and_then(Value::list) {
            let ours = providers.iter().find(|provider| note.brought.contains(*provider));
            let Some(ours) = ours else {
                let names = providers.join(", ");
                return Err(ResourceError::Blocked(format!(
                    "it is a virtual package, provided by {names}; name that one"
                )));
            };
            name = check_name(ours)?;
        }
        PackageAction::Remove { brought: note.brought.into_iter().filter(|other| *other != name.as_str()).collect() }
    } else {
        match goal_of(change) {
            Some(Value::Bool(_)) => PackageAction::Upgrade,
            Some(version) => PackageAction::Install { version: version.text().map(str::to_owned) },
            None if change.creates() => PackageAction::Install { version: None },
            None => return Ok(None),
        }
    };
    let allow_downgrade = spec.allow_downgrade == Some(true);
    // Who says `hold` says that the package changes by this specification alone.
    Ok(Some(PackageChange { name, action, allow_downgrade, allow_held: spec.hold.is_some() }))
}

/// The names to hold and those to let go, of packages that are in place.
fn holds(work: &[(&str, &PackageSpec, &Change)], answers: &[Result<(), ResourceError>]) -> BTreeMap<bool, Vec<String>> {
    let mut holds: BTreeMap<bool, Vec<String>> = BTreeMap::new();
    for ((id, _, change), _) in work.iter().zip(answers).filter(|(_, answer)| answer.is_ok()) {
        if let Some(hold) = change.after(HOLD).and_then(Value::bool) {
            holds.entry(hold).or_default().push((*id).to_owned());
        }
    }
    holds
}

/// A version to go back to may not be in any archive any more: then the newer one stays.
fn refused(error: AptError, (_, spec, change): (&str, &PackageSpec, &Change)) -> ResourceError {
    let goal = goal_of(change).and_then(Value::text);
    match error {
        AptError::Failed(reason)
            if goal.is_some_and(|goal| !asks_for(spec, goal)) && reason.contains("was not found") =>
        {
            ResourceError::Retained(reason)
        }
        // What provides a virtual package may have come for something else as well.
        AptError::Refused(reason) if change.before.get(PROVIDED_BY).is_some() => ResourceError::Retained(reason),
        AptError::Refused(reason) => ResourceError::Blocked(reason),
        AptError::Host(error) => ResourceError::Host(error),
        other => ResourceError::Failed(other.to_string()),
    }
}

fn address_of(id: &str) -> io::Result<Address> {
    Address::new(Collection::Packages, id).map_err(io::Error::other)
}

fn load_note(id: &str, hands: &Hands<'_>) -> Result<Note, ResourceError> {
    let Some(notes) = hands.host.notes() else { return Ok(Note::default()) };
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
