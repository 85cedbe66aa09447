//! Converging the host: look, plan, gate, apply, and look again where that may have moved something.

use crate::apply::{Applied, ApplyError, ManagedHost, Outcome, Run};
use crate::apply::{apply_plan, hold_reverted, recover, remember, settle_reboot};
use crate::host::{HostPath, HostRead};
use crate::ledger::Entry;
use crate::plan::{CycleError, Plan, Purpose, Schedule, ScheduleInput, Target, Verdict, plan_changes, resource_path};
use crate::provider::systemd::UnitName;
use crate::resource::{self, Patience, ResourceError, State, View};
use crate::store::{Batch, StoreError};
use muster_schema::content::BlobRef;
use muster_schema::resource::{Enforcement, Exception, Resource};
use muster_schema::state::Cause;
use muster_schema::{Address, Culprit, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

mod checks;
mod resources;
mod risk;
#[cfg(test)]
mod tests;
mod timed;

pub use resources::resources_at;
use resources::{at, share};

/// A change may move other things, and putting those right may move others again. After so many rounds it is a fight,
/// and the next sweep goes on with it.
const MAX_ROUNDS: usize = 3;

/// Why the host could not be converged at all.
#[derive(Debug, thiserror::Error)]
pub enum ConvergeError {
    /// The agent's own disk refused.
    #[error("cannot apply")]
    Apply(#[from] ApplyError),
    /// What was converged could not be written down.
    #[error("the agent's store")]
    Store(#[from] StoreError),
    /// The resources require each other.
    #[error("cannot order the resources")]
    Cycle(#[from] CycleError),
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy)]
pub enum Extent<'a> {
    /// Everything.
    All,
    /// These, because something happened to them.
    Only(&'a BTreeSet<Address>),
}

/// The host under one manifest.
pub struct Converger {
    managed: ManagedHost,
    resources: Vec<Arc<Resource>>,
    mode: Enforcement,
    schedule: Schedule,
    /// How often the schedule was made.
    schedules: u64,
    /// The time by which exceptions were judged last.
    judged_at: Timestamp,
}

impl Converger {
    /// Takes up where the last run ended: with the resources of the manifest that was accepted last.
    ///
    /// # Errors
    /// When the agent's own disk refuses, or the resources cannot be ordered.
    pub fn begin(
        managed: ManagedHost,
        resources: Vec<Resource>,
        mode: Enforcement,
        now: Timestamp,
    ) -> Result<Converger, ConvergeError> {
        let schedule = Schedule::default();
        let resources = share(resources, managed.ledger.entries());
        let mut converger = Converger { managed, resources, mode, schedule, schedules: 0, judged_at: now };
        converger.reschedule()?;
        let Converger { managed, schedule, .. } = &mut converger;
        settle_reboot(managed, now)?;
        let made = recover(managed, schedule, now)?;
        if made > 0 {
            tracing::info!(made, "finished what an interrupted run began");
            converger.reschedule()?;
        }
        Ok(converger)
    }

    /// What is known of the host.
    pub fn managed(&self) -> &ManagedHost {
        &self.managed
    }

    /// The resources of a new manifest. Nothing is changed yet.
    ///
    /// # Errors
    /// When they cannot be ordered; then the old ones stay.
    pub fn set_resources(&mut self, resources: Vec<Resource>) -> Result<(), ConvergeError> {
        let resources = share(resources, self.managed.ledger.entries());
        let old = std::mem::replace(&mut self.resources, resources);
        self.reschedule().inspect_err(|_| self.resources = old)
    }

    /// Judges exceptions by this time. The answer is whether one of them began or ended by that.
    ///
    /// # Errors
    /// When the resources cannot be ordered.
    pub fn judge_exceptions(&mut self, now: Timestamp) -> Result<bool, ConvergeError> {
        let before = std::mem::replace(&mut self.judged_at, now);
        let exceptions = self.resources.iter().filter_map(|resource| resource.exception.as_ref());
        let holds = |exception: &Exception, at: Timestamp| at < exception.until;
        let changed = exceptions.into_iter().any(|exception| holds(exception, before) != holds(exception, now));
        if changed {
            self.reschedule()?;
        }
        Ok(changed)
    }

    /// The exceptions that hold, by the time that they were judged by last.
    pub fn exceptions(&self) -> impl Iterator<Item = (&Address, &Exception)> {
        let given = self.resources.iter().filter_map(|one| Some((&one.address, one.exception.as_ref()?)));
        given.filter(|(_, exception)| self.judged_at < exception.until)
    }

    /// What would be changed now. Reads only.
    pub fn plan(&self, extent: Extent<'_>) -> Plan {
        let ManagedHost { host, ledger, .. } = &self.managed;
        let observed = observe(host.as_read(), ledger.entries(), &self.schedule, extent);
        let mut plan = plan_changes(&self.schedule, &observed);
        foresee(host.as_read(), &self.schedule, &mut plan);
        hold_reverted(self.managed.risk.reverted(), &self.schedule, plan)
    }

    /// The targets that plans are about, in their order.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// A number that is another one whenever the targets are others.
    pub fn schedule_number(&self) -> u64 {
        self.schedules
    }

    /// Looks and puts right, until nothing differs or `stop` says so.
    ///
    /// # Errors
    /// When the agent's own disk refuses. What failed on the host is in the outcomes.
    pub fn converge(
        &mut self,
        cause: Cause,
        extent: Extent<'_>,
        stop: &dyn Fn() -> bool,
        now: fn() -> Timestamp,
    ) -> Result<Converged, ConvergeError> {
        let mut converged = Converged::default();
        if matches!(extent, Extent::All) {
            self.forget_unmanaged(now())?;
        }
        let (mut cause, mut extent) = (cause, extent);
        for _ in 0..MAX_ROUNDS {
            let plan = self.plan(extent);
            let run = Run { schedule: &self.schedule, plan, cause, stop, now };
            let Applied { outcomes, look_again, stopped } = apply_plan(&mut self.managed, &run)?;
            converged.outcomes.extend(outcomes);
            converged.stopped = stopped;
            let moves = self.schedule.moves;
            if self.is_outdated(&converged) {
                self.reschedule()?;
            }
            if stopped || !(look_again || moves) {
                break;
            }
            // What is found beside the drift that was told of, or moved by putting it right, is drift too.
            (cause, extent) = (if cause == Cause::Corrective { cause } else { Cause::Cascade }, Extent::All);
        }
        Ok(converged)
    }

    /// Paths whose change may be drift, with the resources that each belongs to.
    pub fn watched_paths(&self) -> BTreeMap<HostPath, BTreeSet<Address>> {
        let watched = self.schedule.targets.iter().filter(|target| target.purpose != Purpose::NotApplicable);
        let mut owners: BTreeMap<HostPath, BTreeSet<Address>> = BTreeMap::new();
        for target in watched {
            for path in target.resource_type().watched_paths(target.address().id()) {
                owners.entry(path).or_default().insert(target.address().clone());
            }
        }
        owners
    }

    /// Those that nothing tells of.
    pub fn polled(&self) -> BTreeSet<Address> {
        let watched = self.schedule.targets.iter().filter(|target| target.purpose != Purpose::NotApplicable);
        watched.filter(|target| target.resource_type().is_polled()).map(|target| target.address().clone()).collect()
    }

    /// How long an event about it waits.
    pub fn patience(&self, address: &Address) -> Patience {
        let target = self.schedule.find(address).and_then(|at| self.schedule.targets.get(at));
        target.map_or(Patience::Writer, |target| target.resource_type().patience())
    }

    /// Writes down that something is wrong with a resource that no look at it tells.
    ///
    /// # Errors
    /// When the agent's own disk refuses.
    pub fn flag(&mut self, address: &Address, message: &str, now: Timestamp) -> Result<(), ConvergeError> {
        let Some(target) = self.schedule.find(address).and_then(|at| self.schedule.targets.get(at)) else {
            return Ok(());
        };
        let flagged = Outcome::failed(target, &ResourceError::Failed(message.to_owned()), Cause::Corrective);
        self.managed.known.note(&self.managed.store, &[flagged], now, Batch::new())?;
        Ok(())
    }

    /// In the run that comes, drift of these was made by them. It replaces what was said before.
    pub fn set_culprits(&mut self, culprits: BTreeMap<Address, Culprit>) {
        self.managed.known.set_culprits(culprits);
    }

    /// Units of systemd whose change may be drift, with the resources that each belongs to.
    pub fn watched_units(&self) -> BTreeMap<UnitName, BTreeSet<Address>> {
        let watched = self.schedule.targets.iter().filter(|target| target.purpose != Purpose::NotApplicable);
        let mut owners: BTreeMap<UnitName, BTreeSet<Address>> = BTreeMap::new();
        for target in watched {
            if let Some(unit) = target.resource_type().watched_unit(target.address().id()) {
                owners.entry(unit).or_default().insert(target.address().clone());
            }
        }
        owners
    }

    /// Removes contents that neither the way back nor `needed` names. Call it between runs.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_contents(&self, needed: &HashSet<BlobRef>) -> Result<(), ApplyError> {
        let back: HashSet<BlobRef> =
            self.managed.ledger.contents().into_iter().chain(self.managed.risk.contents()).collect();
        self.managed.originals.forget_all_but(&back)?;
        let blobs = self.resources.iter().flat_map(|resource| resource.blobs());
        let all: HashSet<BlobRef> = blobs.chain(needed.iter().copied()).chain(back).collect();
        Ok(self.managed.blobs.forget_all_but(&all)?)
    }

    /// What left is not looked at again, be it a thing or an attribute, and what was applied once is only reported from
    /// now on.
    fn is_outdated(&self, converged: &Converged) -> bool {
        let left = self.schedule.targets.iter().any(|target| target.purpose == Purpose::Leave);
        left || converged.outcomes.iter().filter(|outcome| outcome.changed).any(|outcome| {
            let target = self.schedule.find(&outcome.address).and_then(|at| self.schedule.targets.get(at));
            let is_settled = |target: &Target| {
                let own = target.resource_type().wanted(target.resource.meta.state, self.managed.host.scope());
                self.mode_of(&target.resource) == Enforcement::ApplyOnce || target.wanted.as_ref() != Some(&own)
            };
            target.is_some_and(is_settled)
        })
    }

    fn mode_of(&self, resource: &Resource) -> Enforcement {
        resource.meta.mode.unwrap_or(self.mode)
    }

    fn reschedule(&mut self) -> Result<(), ConvergeError> {
        let ManagedHost { host, ledger, .. } = &self.managed;
        let resources: Vec<_> = self.resources.iter().map(|resource| at(resource, self.judged_at)).collect();
        self.schedule = schedule(host.as_read(), ledger.entries(), &resources, self.mode)?;
        self.schedules += 1;
        Ok(())
    }
}

/// What would be changed on a host that owns `ledger`, with the targets that it is about. Reads only.
///
/// # Errors
/// When the resources cannot be ordered.
pub fn look_at_host(
    host: &dyn HostRead,
    ledger: &BTreeMap<Address, Entry>,
    resources: &[Arc<Resource>],
    mode: Enforcement,
) -> Result<(Schedule, Plan), ConvergeError> {
    let (schedule, observed) = observe_host(host, ledger, resources, mode, Extent::All)?;
    let mut plan = plan_changes(&schedule, &observed);
    foresee(host, &schedule, &mut plan);
    Ok((schedule, plan))
}

/// What a host that owns `ledger` has of the targets of a manifest. Reads only.
///
/// # Errors
/// When the resources cannot be ordered.
pub fn observe_host(
    host: &dyn HostRead,
    ledger: &BTreeMap<Address, Entry>,
    resources: &[Arc<Resource>],
    mode: Enforcement,
    extent: Extent<'_>,
) -> Result<(Schedule, Observed), ConvergeError> {
    let schedule = schedule(host, ledger, resources, mode)?;
    let observed = observe(host, ledger, &schedule, extent);
    Ok((schedule, observed))
}

/// What was read of each target, in the order of the schedule's. `None`: it was not looked at.
pub type Observed = Vec<Option<Result<State, ResourceError>>>;

fn schedule(
    host: &dyn HostRead,
    ledger: &BTreeMap<Address, Entry>,
    resources: &[Arc<Resource>],
    mode: Enforcement,
) -> Result<Schedule, ConvergeError> {
    let scope = host.scope();
    let missing_folders = if scope.sandbox { missing_folders(host, resources) } else { BTreeSet::new() };
    Ok(Schedule::of(&ScheduleInput { resources, ledger, scope, mode, missing_folders: &missing_folders })?)
}

fn missing_folders(host: &dyn HostRead, resources: &[Arc<Resource>]) -> BTreeSet<String> {
    let mut reader = host.reader();
    let mut missing = BTreeSet::new();
    for path in resources.iter().filter_map(|resource| resource_path(resource)) {
        let mut path = HostPath::new(path).ok();
        while let Some(parent) = path.as_ref().and_then(HostPath::parent) {
            if missing.contains(parent.as_str()) || !matches!(reader.meta(&parent), Ok(None)) {
                break;
            }
            missing.insert(parent.as_str().to_owned());
            path = Some(parent);
        }
    }
    missing
}

/// What came of converging.
#[derive(Debug, Default)]
pub struct Converged {
    /// How it went, in the order in which it was done.
    pub outcomes: Vec<Outcome>,
    /// It was stopped at a safe point before the end.
    pub stopped: bool,
}

impl Converged {
    /// How many things were changed.
    pub fn changes(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.changed).count()
    }
}

fn observe(
    host: &dyn HostRead,
    ledger: &BTreeMap<Address, Entry>,
    schedule: &Schedule,
    extent: Extent<'_>,
) -> Observed {
    let wanted = |target: &&Target| {
        !matches!(target.purpose, Purpose::NotApplicable | Purpose::Probe)
            && match extent {
                Extent::All => true,
                Extent::Only(addresses) => addresses.contains(target.address()),
            }
    };
    let resources = schedule.targets.iter().filter(wanted).map(|target| &*target.resource);
    let view = View::new(host).within(&schedule.targets).about(resources);
    let targets = schedule.targets.iter().map(|target| {
        if !wanted(&target) {
            return None;
        }
        let mut observed = resource::observe(&target.resource, &view);
        if let Ok(state) = &mut observed {
            remember(ledger.get(target.address()), &target.resource, state, host);
        }
        Some(observed)
    });
    targets.collect()
}

/// Says of the changes of a plan which of them cannot be made, as far as that can be seen. Reads only.
fn foresee(host: &dyn HostRead, schedule: &Schedule, plan: &mut Plan) {
    let view = View::new(host).within(&schedule.targets);
    for (target, verdict) in schedule.targets.iter().zip(plan) {
        if let (Some(Verdict::Change(change)), Purpose::Enforce | Purpose::Leave) = (&*verdict, target.purpose)
            && let Some(reason) = target.resource_type().foresee(target.address().id(), change, &view)
        {
            *verdict = Some(Verdict::Retain(change.clone(), reason));
        }
    }
}

/// How many changes a plan holds.
pub fn count_changes(plan: &Plan) -> usize {
    let differs = |verdict: &&Option<Verdict>| {
        matches!(verdict, Some(Verdict::Change(_) | Verdict::Retain(..) | Verdict::Report(_)))
    };
    plan.iter().filter(differs).count()
}
