//! The end of a wait for the orchestrator: what was changed stands, or comes back.

use super::recover::{remove_candidates, written_paths};
use super::risk::ArmedChange;
use super::stage::hands_for;
use super::{ApplyError, ManagedHost, Outcome};
use crate::ledger::Line;
use crate::plan::{Purpose, Schedule, Target, digest_of};
use crate::resource::{Attributes, ResourceError, View, Wanted, observe};
use crate::store::Batch;
use crate::vault::Vaults;
use muster_schema::state::{Cause, ResourceState};
use muster_schema::{Address, Sha256Digest, Timestamp};
use std::collections::BTreeSet;

/// The run that armed changes is over: from `now` on the time counts.
///
/// # Errors
/// When the agent's own disk refuses.
pub fn begin_wait(managed: &mut ManagedHost, now: Timestamp) -> Result<(), ApplyError> {
    managed.risk.begin_wait(now);
    let mut batch = Batch::new();
    managed.risk.put(&mut batch)?;
    Ok(managed.store.commit(batch)?)
}

/// The orchestrator was reached after the change of this number: all stands. `false`: another one came after it.
///
/// # Errors
/// When the agent's own disk refuses.
pub fn confirm_armed(managed: &mut ManagedHost, number: u64) -> Result<bool, ApplyError> {
    let Some(armed) = managed.risk.armed.take_if(|armed| armed.number == number) else { return Ok(false) };
    let mut lines = Vec::new();
    for change in armed.changes.iter().filter(|change| !change.leaves) {
        let Some(mut entry) = managed.ledger.get(&change.resource.address).cloned() else { continue };
        entry.proven = Some(digest_of(&change.resource));
        lines.push(Line::Own(Box::new(entry)));
    }
    managed.ledger.commit(lines)?;
    let mut batch = Batch::new();
    managed.risk.put(&mut batch)?;
    managed.store.commit(batch)?;
    Ok(true)
}

/// Takes all risky changes back, the last first, and owes what reacts to them. What cannot be taken back stays armed.
/// Answers who is to react.
///
/// # Errors
/// When the agent's own disk refuses.
pub fn revert_armed(
    managed: &mut ManagedHost,
    schedule: &Schedule,
    content: Option<Sha256Digest>,
    now: Timestamp,
) -> Result<BTreeSet<Address>, ApplyError> {
    let Some(mut armed) = managed.risk.armed.take() else { return Ok(BTreeSet::new()) };
    let seconds = managed.risk.within.unwrap_or_default().as_secs();
    let reason = format!("the orchestrator was not reached within {seconds} s");
    // It may have been interrupted at this before.
    remove_candidates(
        managed,
        armed.changes.iter().flat_map(|change| written_paths(&change.resource.address, Some(&change.resource))),
    );
    let (mut outcomes, mut lines, mut reverted) = (Vec::new(), Vec::new(), Vec::new());
    let mut reactors = BTreeSet::new();
    let mut stuck = Vec::new();
    while let Some(change) = armed.changes.pop() {
        let address = change.resource.address.clone();
        let message = match put_back(managed, schedule, &change) {
            Ok(()) => {
                let message = format!("reverted: {reason}");
                for (reactor, reaction) in &change.reactions {
                    managed.owed.add(reactor, *reaction);
                    reactors.insert(reactor.clone());
                }
                lines.extend(change.entry.map(|entry| Line::Own(Box::new(entry))));
                reverted.push((address.clone(), message.clone()));
                message
            }
            Err(error) => {
                stuck.insert(0, change);
                format!("{reason}, and it cannot be reverted: {}", error.chain())
            }
        };
        tracing::warn!(%address, "{message}");
        let state = Some(ResourceState::Error);
        outcomes.push(Outcome { address, state, message, cause: Cause::Corrective, changed: true, reported: true });
    }
    if !stuck.is_empty() {
        armed.changes = stuck;
        managed.risk.armed = Some(armed);
    }
    managed.risk.note_reverted(content, reverted);
    managed.ledger.commit(lines)?;
    let mut batch = Batch::new();
    managed.risk.put(&mut batch)?;
    managed.owed.put(&mut batch)?;
    managed.known.note(&managed.store, &outcomes, now, batch)?;
    Ok(reactors)
}

/// Whatever it is now, even if the change was not made or is taken back already.
fn put_back(managed: &ManagedHost, schedule: &Schedule, change: &ArmedChange) -> Result<(), ResourceError> {
    let target = Target { resource: change.resource.clone(), wanted: None, purpose: Purpose::Leave, implicit: false };
    let kind = target.resource_type();
    let observed = observe(&target.resource, &View::new(managed.host.as_read()))?;
    let before = Wanted { state: change.before.clone(), on_creation: Attributes::new() };
    let Some(back) = kind.diff(&before, &observed)? else { return Ok(()) };
    let contents = Vaults([&managed.originals, &managed.blobs]);
    kind.apply(target.address().id(), &back, &hands_for(managed, schedule, &contents, &target))
}
