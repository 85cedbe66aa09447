//! Before a change: is it still due, may it be made, and is the way back kept?

use super::outcome::{self, Outcome};
use super::risk::ArmedChange;
use super::stage::{self, is_work};
use super::{ApplyError, ManagedHost, Run};
use crate::host::{HostRead, Scope};
use crate::ledger::{Entry, Line};
use crate::plan::{Purpose, Target, Verdict, digest_of, judge_target};
use crate::resource::{self, Change, ResourceError, State, View, Wanted, without_made};
use muster_schema::Address;
use muster_schema::resource::{OnRemove, Resource};
use muster_schema::state::ResourceState;
use std::collections::HashSet;

/// A change that may be made now.
pub(super) struct Prepared<'a> {
    pub(super) index: usize,
    pub(super) target: &'a Target,
    pub(super) change: Change,
    /// What is to come back unless the orchestrator is reached.
    pub(super) armed: Option<ArmedChange>,
}

impl Prepared<'_> {
    /// What the change does, for people.
    pub(super) fn describe(&self) -> String {
        let what = self.change.to_string();
        if self.target.purpose == Purpose::Leave { format!("restored: {what}") } else { what }
    }
}

type Outcomes = Vec<(usize, Outcome)>;

/// Looks again where an earlier stage may have changed the case, keeps originals, and writes them into the ledger.
/// Gives what is to be done, and what is settled without.
pub(super) fn prepare_stage<'a>(
    managed: &mut ManagedHost,
    run: &Run<'a>,
    stage: &[usize],
    results: &[Option<ResourceState>],
    look_again: bool,
) -> Result<(Vec<Prepared<'a>>, Outcomes), ApplyError> {
    let mut outcomes = Vec::new();
    let mut work = Vec::new();
    let mut lines = Vec::new();
    let resources = stage.iter().filter_map(|index| run.schedule.targets.get(*index)).map(|target| &*target.resource);
    let view = View::new(managed.host.as_read()).within(&run.schedule.targets).about(resources);
    for index in stage {
        let Some(target) = run.schedule.targets.get(*index) else { continue };
        let planned = run.plan.get(*index).cloned().flatten();
        let enforced = matches!(target.purpose, Purpose::Enforce | Purpose::Leave);
        let look = is_work(target, &planned)
            || (look_again && enforced && planned.is_some())
            || stage::waits_for_work(run, *index);
        if !look {
            continue;
        }
        if let Some((blocker, state)) = failed_blocker(managed, run, *index, results) {
            let error = match state {
                ResourceState::Pending => ResourceError::Waits(format!("waits for {}", blocker.address())),
                _ => ResourceError::Blocked(format!("needs {}, which is not right", blocker.address())),
            };
            outcomes.push((*index, Outcome::failed(target, &error, run.cause)));
            continue;
        }
        let judged = judge(managed, target, &view);
        match judged {
            Ok((state, Verdict::Change(change))) => {
                let entry = managed.ledger.get(target.address());
                let risky = managed.risk.asks_for_proof(target, entry, managed.host.scope());
                match keep_original(managed, target, &state, change, risky, &view) {
                    Ok((line, change)) => {
                        lines.extend(line);
                        let armed = risky.then(|| arm(target, &change, entry));
                        work.push(Prepared { index: *index, target, change, armed });
                    }
                    Err(error) => outcomes.push((*index, Outcome::failed(target, &error, run.cause))),
                }
            }
            Ok((_, verdict @ (Verdict::Compliant | Verdict::Stays(_)))) if target.purpose == Purpose::Leave => {
                lines.push(Line::Drop(target.address().clone()));
                let message = if let Verdict::Stays(reason) = &verdict { reason.as_ref() } else { "restored" };
                outcomes.push((*index, Outcome::unchanged(target, None, message, run.cause)));
            }
            Ok((_, verdict)) => {
                outcomes.extend(outcome::of_verdict(target, &verdict, run.cause).map(|outcome| (*index, outcome)));
            }
            Err(error) => outcomes.push((*index, Outcome::failed(target, &error, run.cause))),
        }
        if target.resource_type().shares_place() && managed.ledger.get(target.address()).is_some() {
            lines.extend(heirs(managed, run, target, &view)?);
        }
    }
    managed.originals.sync()?;
    managed.ledger.commit(lines)?;
    Ok((work, outcomes))
}

fn judge(managed: &ManagedHost, target: &Target, view: &View<'_>) -> Result<(State, Verdict), ResourceError> {
    let mut state = resource::observe(&target.resource, view)?;
    remember(managed.ledger.get(target.address()), &target.resource, &mut state, managed.host.as_read());
    let verdict = managed.risk.hold(target, judge_target(target, &state));
    Ok((state, verdict))
}

fn arm(target: &Target, change: &Change, entry: Option<&Entry>) -> ArmedChange {
    ArmedChange {
        resource: target.resource.clone(),
        before: change.before.clone(),
        entry: entry.cloned(),
        leaves: target.purpose == Purpose::Leave,
        reactions: Vec::new(),
    }
}

/// Adds to what was observed what the host cannot tell, and hides what was a secret before.
pub(crate) fn remember(entry: Option<&Entry>, resource: &Resource, state: &mut State, host: &dyn HostRead) {
    if let (Some(entry), State::Present(attributes)) = (entry, state) {
        attributes.extend(entry.remembered.clone());
        resource::conceal(&entry.resource.spec, &resource.spec, attributes, host);
    }
}

/// What stands in the way of a target, and how it is: what failed before what only waits.
///
/// What this run did not look at is as it was last: an event about a dependent must not let it overtake.
fn failed_blocker<'a>(
    managed: &ManagedHost,
    run: &Run<'a>,
    index: usize,
    results: &[Option<ResourceState>],
) -> Option<(&'a Target, ResourceState)> {
    let blockers = run.schedule.order.blockers.get(index)?;
    let known = |at: usize| Some(managed.known.states().get(run.schedule.targets.get(at)?.address())?.state);
    let in_state = |states: &[ResourceState]| {
        let state_of = |at: &usize| {
            let state = results.get(*at).copied().flatten().or_else(|| known(*at));
            state.filter(|state| states.contains(state))
        };
        let (at, state) = blockers.iter().find_map(|at| Some((*at, state_of(at)?)))?;
        Some((run.schedule.targets.get(at)?, state))
    };
    in_state(&[ResourceState::Error, ResourceState::Blocked]).or_else(|| in_state(&[ResourceState::Pending]))
}

/// Keeps what the change would lose, if it is not kept yet. The change comes back with its `before` complete where
/// it has to be confirmed, or may have to be taken back.
fn keep_original(
    managed: &ManagedHost,
    target: &Target,
    observed: &State,
    mut change: Change,
    risky: bool,
    view: &View<'_>,
) -> Result<(Option<Line>, Change), ResourceError> {
    let kind = target.resource_type();
    if risky || kind.confirm().is_some() {
        change.before = kind.keep(target.address().id(), &change, view, &managed.originals)?;
    }
    let (Purpose::Enforce, Some(wanted)) = (target.purpose, &target.wanted) else { return Ok((None, change)) };
    let mut entry = entry_of(managed, target);
    let is_new = add_original(managed, &mut entry, target, wanted, observed, view)?;
    Ok((is_new.then(|| Line::Own(Box::new(entry))), change))
}

/// What the ledger has of a target, or an entry that it is to have.
fn entry_of(managed: &ManagedHost, target: &Target) -> Entry {
    let known = managed.ledger.get(target.address()).cloned();
    known.unwrap_or_else(|| Entry::new(target.resource.clone(), target.implicit))
}

/// Keeps what was found and must be kept before `wanted` is made true. The answer is whether there was anything.
fn add_original(
    managed: &ManagedHost,
    entry: &mut Entry,
    target: &Target,
    wanted: &Wanted,
    observed: &State,
    view: &View<'_>,
) -> Result<bool, ResourceError> {
    let Some(missing) = entry.missing_original(wanted, observed) else { return Ok(false) };
    let whole = Change { before: missing, after: wanted.state.clone() };
    let kept = target.resource_type().keep(target.address().id(), &whole, view, &managed.originals)?;
    let kept = without_made(&target.resource, kept, |address| is_made(managed, address));
    entry.add_original(without_sharers(managed, target, kept)?);
    Ok(true)
}

/// What there would be if those that share the target's place left.
fn without_sharers(managed: &ManagedHost, target: &Target, mut found: State) -> Result<State, ResourceError> {
    let kind = target.resource_type();
    if !kind.shares_place() {
        return Ok(found);
    }
    let goes = |entry: &&Entry| entry.resource.meta.on_remove != OnRemove::Keep;
    let entries = managed.ledger.entries().values().filter(goes);
    let others = entries
        .filter(|other| other.resource.address != *target.address() && other.resource.has_place_of(&target.resource));
    for back in others.filter_map(Entry::way_back) {
        let change = kind.diff(&back, &found)?;
        if let (Some(State::Present(back)), State::Present(attributes)) = (change.map(|one| one.after), &mut found) {
            attributes.extend(back);
        }
    }
    Ok(found)
}

/// Those that share the place of what leaves or changes and have not begun: they are to tell what it made from what was
/// found, and do so as long as it is known.
fn heirs(managed: &ManagedHost, run: &Run<'_>, target: &Target, view: &View<'_>) -> Result<Vec<Line>, ApplyError> {
    let mut lines = Vec::new();
    let sharing = run.schedule.targets.iter().filter(|other| {
        other.purpose == Purpose::Enforce
            && other.resource.has_place_of(&target.resource)
            && managed.ledger.get(other.address()).is_none()
    });
    for heir in sharing {
        let (Some(wanted), Ok(observed)) = (&heir.wanted, resource::observe(&heir.resource, view)) else { continue };
        let mut entry = entry_of(managed, heir);
        if add_original(managed, &mut entry, heir, wanted, &observed, view).is_ok_and(|is_new| is_new) {
            lines.push(Line::Own(Box::new(entry)));
        }
    }
    Ok(lines)
}

/// Whether the agent made it.
fn is_made(managed: &ManagedHost, address: &Address) -> bool {
    managed.ledger.get(address).is_some_and(|entry| entry.original == Some(State::Absent))
}

/// After the changes: what is owned in which form, what left, and what a command is to remember.
pub(super) fn settle_ledger(
    managed: &mut ManagedHost,
    work: &[Prepared<'_>],
    outcomes: &[(usize, Outcome)],
) -> Result<(), ApplyError> {
    let changed: HashSet<usize> =
        outcomes.iter().filter(|(_, outcome)| outcome.changed).map(|(index, _)| *index).collect();
    let mut lines = Vec::new();
    let view = View::new(managed.host.as_read());
    for one in work.iter().filter(|one| changed.contains(&one.index)) {
        if one.target.purpose == Purpose::Leave {
            let at_once = one.target.resource_type().comes_back_at_once();
            if at_once || !matches!(judge(managed, one.target, &view), Ok((_, Verdict::Change(_)))) {
                lines.push(Line::Drop(one.target.address().clone()));
            }
            continue;
        }
        let Some(mut entry) = managed.ledger.get(one.target.address()).cloned() else { continue };
        update(&mut entry, one.target, managed.host.scope());
        entry.remembered.extend(one.target.resource_type().remembered(&one.change));
        if managed.ledger.get(one.target.address()) != Some(&entry) {
            lines.push(Line::Own(Box::new(entry)));
        }
    }
    drop(view);
    managed.ledger.commit(lines)?;
    Ok(())
}

fn update(entry: &mut Entry, target: &Target, scope: Scope) {
    entry.resource = target.resource.clone();
    entry.implicit = target.implicit;
    // The wanted state still holds the attributes that left; those of the specification alone are managed now.
    entry.release(&target.resource_type().wanted(target.resource.meta.state, scope));
}

/// Takes into the ledger what is right without a change, so that it too goes back one day.
pub(super) fn adopt(
    managed: &mut ManagedHost,
    run: &Run<'_>,
    results: &[Option<ResourceState>],
) -> Result<(), ApplyError> {
    let resources = run.schedule.targets.iter().map(|target| &*target.resource);
    let view = View::new(managed.host.as_read()).within(&run.schedule.targets).about(resources);
    let mut lines = Vec::new();
    for (target, result) in run.schedule.targets.iter().zip(results) {
        // What only reacts is owned too: the ledger remembers whom it listens to.
        let listens = !target.resource_type().can_tell() && result.is_some_and(|state| state != ResourceState::Error);
        let right = listens || *result == Some(ResourceState::Compliant);
        let known = managed.ledger.get(target.address());
        let proves = right
            && managed.risk.asks_for_proof(target, known, managed.host.scope())
            && !managed.risk.is_armed(target.address());
        let is_known = known.is_some_and(|entry| entry.resource == target.resource);
        if target.purpose != Purpose::Enforce || !right || (is_known && !proves) {
            continue;
        }
        let mut entry = entry_of(managed, target);
        let Some(wanted) = &target.wanted else { continue };
        let Ok(observed) = resource::observe(&target.resource, &view) else { continue };
        if add_original(managed, &mut entry, target, wanted, &observed, &view).is_err() {
            continue;
        }
        update(&mut entry, target, managed.host.scope());
        if proves {
            entry.proven = Some(digest_of(&target.resource));
        }
        lines.push(Line::Own(Box::new(entry)));
    }
    managed.originals.sync()?;
    managed.ledger.commit(lines)?;
    Ok(())
}
