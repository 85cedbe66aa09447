//! One stage: what does not need each other.

use super::intent::INTENTS_KEY;
use super::outcome::Outcome;
use super::prepare::{Prepared, prepare_stage};
use super::risk::ArmedChange;
use super::{Applied, ApplyError, Intent, ManagedHost, Run, confirm, prepare};
use crate::plan::{Purpose, Schedule, Target, Verdict};
use crate::resource::{BatchItem, Hands, Reaction, ResourceError};
use crate::store::Batch;
use crate::vault::Vaults;
use muster_schema::Collection;
use muster_schema::state::{Cause, ResourceState};
use std::collections::BTreeMap;
use std::time::Duration;

/// Applies one stage of the schedule.
pub(super) fn apply_stage(
    managed: &mut ManagedHost,
    run: &Run<'_>,
    stage: &[usize],
    results: &mut [Option<ResourceState>],
    applied: &mut Applied,
) -> Result<(), ApplyError> {
    let (mut work, mut outcomes) = prepare_stage(managed, run, stage, results, applied.look_again)?;
    if !work.is_empty() {
        let intents: Vec<Intent> = work.iter().map(|one| intent_of(run, one)).collect();
        let mut batch = Batch::new();
        batch.put(INTENTS_KEY, &intents)?;
        let armed: Vec<ArmedChange> = work
            .iter_mut()
            .zip(&intents)
            .filter_map(|(one, intent)| Some(ArmedChange { reactions: intent.reactions.clone(), ..one.armed.take()? }))
            .collect();
        if !armed.is_empty() {
            managed.risk.arm(armed, (run.now)());
            managed.risk.put(&mut batch)?;
        }
        managed.store.commit(batch)?;
    }
    let answers = change_all(managed, run.schedule, &work);
    for (one, answer) in work.iter().zip(answers) {
        let outcome = match answer {
            Ok(()) => {
                owe_reactions(managed, run, one.index);
                // Its triggers came before it, and it was looked at after them.
                if one.target.resource_type().starts(&one.change) {
                    managed.owed.remove(one.target.address());
                }
                let leaves = one.target.purpose == Purpose::Leave;
                applied.look_again |= leaves || !one.target.address().collection().id_is_path();
                Outcome::changed(one.target, one.describe(), run.cause)
            }
            Err(error) => Outcome::failed(one.target, &error, run.cause),
        };
        outcomes.push((one.index, outcome));
    }
    prepare::settle_ledger(managed, &work, &outcomes)?;
    applied.look_again |= react(managed, run, stage, results, &mut outcomes);
    let mut batch = Batch::new();
    batch.remove(INTENTS_KEY);
    managed.owed.put(&mut batch)?;
    let idle = work.is_empty() && outcomes.is_empty();
    for (index, outcome) in &outcomes {
        if let Some(result) = results.get_mut(*index) {
            *result = outcome.state;
        }
    }
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    if !idle {
        managed.known.note(&managed.store, &outcomes, (run.now)(), batch)?;
    }
    applied.outcomes.extend(outcomes);
    Ok(())
}

fn intent_of(run: &Run<'_>, one: &Prepared<'_>) -> Intent {
    let reactors = run.schedule.reactions.get(&one.index).into_iter().flatten();
    let name = |(reactor, reaction): &(usize, Reaction)| {
        Some((run.schedule.targets.get(*reactor)?.address().clone(), *reaction))
    };
    Intent {
        address: one.target.address().clone(),
        change: one.change.clone(),
        cause: run.cause,
        reactions: reactors.filter_map(name).collect(),
        unconfirmed: one.target.resource_type().confirm().is_some(),
    }
}

/// Makes all changes of a stage: together where their type can, else one after the other. Answers in order.
fn change_all(managed: &ManagedHost, schedule: &Schedule, work: &[Prepared<'_>]) -> Vec<Result<(), ResourceError>> {
    let contents = Vaults([&managed.originals, &managed.blobs]);
    let mut answers: BTreeMap<usize, Result<(), ResourceError>> = BTreeMap::new();
    let mut by_type: BTreeMap<(Collection, bool), Vec<usize>> = BTreeMap::new();
    for (at, one) in work.iter().enumerate() {
        let leaves = one.target.purpose == Purpose::Leave;
        by_type.entry((one.target.address().collection(), leaves)).or_default().push(at);
    }
    for members in by_type.into_values() {
        let plain = |at: &usize| work.get(*at).is_some_and(|one| is_plain(one.target));
        let (together, single): (Vec<usize>, Vec<usize>) = members.into_iter().partition(plain);
        let items: Vec<&Prepared<'_>> = together.iter().filter_map(|at| work.get(*at)).collect();
        answers.extend(together.into_iter().zip(change_together(managed, schedule, &contents, &items)));
        for at in single {
            if let Some(one) = work.get(at) {
                answers.insert(at, change_one(managed, schedule, &contents, one));
            }
        }
    }
    let mut answers: Vec<Result<(), ResourceError>> = answers.into_values().collect();
    confirm::confirm_changes(managed, schedule, &contents, work, &mut answers);
    answers
}

/// Whether it asks for no time and no further attempts of its own.
fn is_plain(target: &Target) -> bool {
    let meta = &target.resource.meta;
    meta.timeout.is_none() && meta.retry.unwrap_or(0) == 0
}

fn change_together(
    managed: &ManagedHost,
    schedule: &Schedule,
    contents: &Vaults<'_>,
    items: &[&Prepared<'_>],
) -> Vec<Result<(), ResourceError>> {
    let first = items.first().map(|one| one.target).filter(|_| items.len() > 1);
    let Some((first, batch)) = first.and_then(|first| Some((first, first.resource_type().batch()?))) else {
        return items.iter().map(|one| change_one(managed, schedule, contents, one)).collect();
    };
    let hands = hands_for(managed, schedule, contents, first);
    let items: Vec<BatchItem<'_>> =
        items.iter().map(|one| BatchItem { resource: &one.target.resource, change: &one.change }).collect();
    batch(&items, &hands)
}

fn change_one(
    managed: &ManagedHost,
    schedule: &Schedule,
    contents: &Vaults<'_>,
    one: &Prepared<'_>,
) -> Result<(), ResourceError> {
    let hands = hands_for(managed, schedule, contents, one.target);
    let id = one.target.address().id();
    attempt(one.target, || one.target.resource_type().apply(id, &one.change, &hands))
}

pub(super) fn hands_for<'a>(
    managed: &'a ManagedHost,
    schedule: &'a Schedule,
    contents: &'a Vaults<'a>,
    target: &Target,
) -> Hands<'a> {
    let timeout = target.resource.meta.timeout.map(|seconds| Duration::from_secs(seconds.into()));
    let validate = target.purpose != Purpose::Leave;
    Hands { host: managed.host.as_ref(), contents, schedule, validate, timeout }
}

/// As often as the resource says; the last answer counts.
fn attempt(target: &Target, mut once: impl FnMut() -> Result<(), ResourceError>) -> Result<(), ResourceError> {
    let mut answer = once();
    for _ in 0..target.resource.meta.retry.unwrap_or(0) {
        match answer {
            Ok(()) | Err(ResourceError::Blocked(_) | ResourceError::Retained(_) | ResourceError::Waits(_)) => break,
            Err(_) => answer = once(),
        }
    }
    answer
}

fn owe_reactions(managed: &mut ManagedHost, run: &Run<'_>, trigger: usize) {
    if managed.host.scope().sandbox {
        return;
    }
    for (reactor, reaction) in run.schedule.reactions.get(&trigger).into_iter().flatten() {
        if let Some(target) = run.schedule.targets.get(*reactor) {
            managed.owed.add(target.address(), *reaction);
        }
    }
}

/// Lets those of this stage react that owe it, and in the last stage those whose triggers left. Answers whether one of
/// them has yet to do what is to be done, which the next look tells.
fn react(
    managed: &mut ManagedHost,
    run: &Run<'_>,
    stage: &[usize],
    results: &[Option<ResourceState>],
    outcomes: &mut Vec<(usize, Outcome)>,
) -> bool {
    let mut waits_for_look = false;
    if managed.owed.is_empty() {
        return waits_for_look;
    }
    let last = run.schedule.order.stages.last().is_some_and(|last| std::ptr::eq(last.as_slice(), stage));
    let all: Vec<usize> = if last { (0..run.schedule.targets.len()).collect() } else { stage.to_vec() };
    for index in all {
        let Some(target) = run.schedule.targets.get(index).filter(|target| target.purpose == Purpose::Enforce) else {
            continue;
        };
        let Some(reaction) = managed.owed.get(target.address()) else { continue };
        let state_of = |at: usize| {
            let now = outcomes.iter().find(|(index, _)| *index == at).map(|(_, outcome)| outcome.state);
            now.unwrap_or_else(|| results.get(at).copied().flatten())
        };
        let own = outcomes.iter().position(|(at, outcome)| *at == index && outcome.changed);
        let waits = triggers_of(run, index).any(|at| {
            let trigger = run.schedule.targets.get(at);
            let leaves = trigger.is_some_and(|trigger| trigger.purpose == Purpose::Leave);
            // It is an error, and has its old state again: that is what is to be reacted to.
            let is_back = trigger.is_some_and(|trigger| managed.risk.is_reverted(trigger.address()));
            let wrong = matches!(state_of(at), Some(ResourceState::Error | ResourceState::Blocked));
            (leaves && !last) || (wrong && !is_back)
        });
        if waits || matches!(state_of(index), Some(ResourceState::Error | ResourceState::Blocked)) {
            continue;
        }
        let contents = Vaults([&managed.originals, &managed.blobs]);
        let hands = hands_for(managed, run.schedule, &contents, target);
        let id = target.address().id();
        let answer = attempt(target, || target.resource_type().react(id, reaction, &hands));
        let outcome = match (&answer, own) {
            (Ok(()), Some(own)) => {
                if let Some((_, outcome)) = outcomes.get_mut(own) {
                    outcome.message = format!("{}; {reaction}", outcome.message);
                }
                None
            }
            (Ok(()), None) => Some(Outcome::changed(target, reaction.to_string(), Cause::Cascade)),
            (Err(error), _) => Some(Outcome::failed(target, error, Cause::Cascade)),
        };
        // What waits has written down that it is owed.
        let noted = matches!(answer, Err(ResourceError::Waits(_)));
        waits_for_look |= noted;
        if answer.is_ok() || noted {
            managed.owed.remove(target.address());
        }
        outcomes.extend(outcome.map(|outcome| (index, outcome)));
    }
    waits_for_look
}

fn triggers_of(run: &Run<'_>, reactor: usize) -> impl Iterator<Item = usize> {
    let reacts = move |(_, reactors): &(&usize, &std::collections::BTreeSet<(usize, Reaction)>)| {
        reactors.iter().any(|(index, _)| *index == reactor)
    };
    run.schedule.reactions.iter().filter(reacts).map(|(trigger, _)| *trigger)
}

/// Whether it is blocked as things are, and the plan changes what it needs: it is looked at again after that.
pub(super) fn waits_for_work(run: &Run<'_>, index: usize) -> bool {
    let target = run.schedule.targets.get(index).filter(|target| target.purpose == Purpose::Enforce);
    let blocked = target.is_some() && matches!(run.plan.get(index), Some(Some(Verdict::Blocked(_))));
    let is_work = |at: &usize| Some(is_work(run.schedule.targets.get(*at)?, run.plan.get(*at)?));
    blocked && run.schedule.order.blockers.get(index).into_iter().flatten().any(|at| is_work(at) == Some(true))
}

/// Whether the plan has work for a target of this verdict.
pub(super) fn is_work(target: &Target, verdict: &Option<Verdict>) -> bool {
    match verdict {
        Some(Verdict::Change(_) | Verdict::Retain(..)) => true,
        Some(Verdict::Compliant | Verdict::Stays(_)) => target.purpose == Purpose::Leave,
        _ => false,
    }
}
