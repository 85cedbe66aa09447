//! After a crash: what of the intents was done?

use super::intent::INTENTS_KEY;
use super::outcome::Outcome;
use super::prepare::{Prepared, settle_ledger};
use super::{ApplyError, Intent, ManagedHost, confirm};
use crate::host::HostPath;
use crate::plan::Schedule;
use crate::resource::{self, Attributes, State, Value, View, Wanted};
use crate::store::Batch;
use crate::vault::Vaults;
use muster_schema::resource::Resource;
use muster_schema::{Address, Timestamp};
use std::collections::BTreeSet;

/// Finishes the run that was cut off: candidates go, changes that were made are confirmed or taken back, reported and
/// reacted to. Changes that were not made are found by the next plan. Answers how many were made.
///
/// # Errors
/// When the agent's own disk refuses.
pub fn recover(managed: &mut ManagedHost, schedule: &Schedule, now: Timestamp) -> Result<usize, ApplyError> {
    let Some(intents) = managed.store.load::<Vec<Intent>>(INTENTS_KEY)? else { return Ok(0) };
    let resource_of = |intent: &Intent| {
        let target = schedule.find(&intent.address).and_then(|index| schedule.targets.get(index));
        target.map(|target| &*target.resource)
    };
    remove_candidates(managed, intents.iter().flat_map(|intent| written_paths(&intent.address, resource_of(intent))));
    let made: Vec<(Prepared<'_>, &Intent)> = intents
        .iter()
        .filter_map(|intent| {
            let index = schedule.find(&intent.address)?;
            let target = schedule.targets.get(index)?;
            let made = Prepared { index, target, change: intent.change.clone(), armed: None };
            was_made(managed, &made).then_some((made, intent))
        })
        .collect();
    let (work, intents): (Vec<Prepared<'_>>, Vec<&Intent>) = made.into_iter().unzip();
    let mut answers: Vec<_> = work.iter().map(|_| Ok(())).collect();
    confirm::confirm_changes(managed, schedule, &Vaults([&managed.originals, &managed.blobs]), &work, &mut answers);
    let mut outcomes = Vec::new();
    for ((one, intent), answer) in work.iter().zip(intents).zip(answers) {
        let outcome = match answer {
            Ok(()) => {
                for (reactor, reaction) in &intent.reactions {
                    managed.owed.add(reactor, *reaction);
                }
                Outcome::changed(one.target, one.describe(), intent.cause)
            }
            Err(error) => Outcome::failed(one.target, &error, intent.cause),
        };
        outcomes.push((one.index, outcome));
    }
    settle_ledger(managed, &work, &outcomes)?;
    managed.owed.retain(|address| schedule.find(address).is_some());
    let mut batch = Batch::new();
    batch.remove(INTENTS_KEY);
    managed.owed.put(&mut batch)?;
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    managed.known.note(&managed.store, &outcomes, now, batch)?;
    Ok(outcomes.len())
}

/// The files that a change of a resource may write.
pub(super) fn written_paths(address: &Address, resource: Option<&Resource>) -> Vec<HostPath> {
    let own = HostPath::new(address.id()).ok().filter(|_| address.collection().id_is_path());
    let edited = resource.and_then(|resource| HostPath::new(resource.spec.edited_path()?).ok());
    let paths = resource.into_iter().flat_map(Resource::paths).filter_map(|path| HostPath::new(&path).ok());
    // Files of the system are watched where they are written.
    let watched = resource.into_iter().flat_map(|resource| resource::of(resource).watched_paths(address.id()));
    own.into_iter().chain(edited).chain(paths).chain(watched).collect()
}

/// Removes what an interrupted run had prepared for these files.
pub(super) fn remove_candidates(managed: &ManagedHost, paths: impl Iterator<Item = HostPath>) {
    let folders: BTreeSet<HostPath> = paths.filter_map(|path| path.parent()).collect();
    for folder in folders {
        if let Err(error) = managed.host.remove_candidates(&folder) {
            tracing::warn!(%folder, error = &error as &dyn std::error::Error, "a candidate of the interrupted run stays");
        }
    }
}

/// Whether the thing is now as the change was to make it. What cannot be told was not made, and is planned anew.
fn was_made(managed: &ManagedHost, one: &Prepared<'_>) -> bool {
    let view = View::new(managed.host.as_read());
    let kind = one.target.resource_type();
    let Ok(observed) = resource::observe(&one.target.resource, &view) else { return false };
    let after = Wanted { state: one.change.after.clone(), on_creation: Attributes::new() };
    kind.remembered(&one.change).is_empty()
        && has_lists(&one.change.after, &observed)
        && matches!(kind.diff(&after, &observed), Ok(None))
}

/// Whether the lists of a change are there as it was to make them: a list that is wanted may be a minimum, and one that
/// something left is no less than before.
fn has_lists(after: &State, observed: &State) -> bool {
    let sorted = |list: &[String]| list.iter().cloned().collect::<BTreeSet<String>>();
    let lists = after.attributes().into_iter().flatten().filter_map(|(name, value)| Some((name, value.list()?)));
    lists
        .into_iter()
        .all(|(name, list)| observed.get(name).and_then(Value::list).is_some_and(|found| sorted(found) == sorted(list)))
}
