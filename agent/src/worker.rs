//! The thread that converges the host. Everything that may change the host happens here, one thing after the other.

use crate::accepted::{commit_converged, load_converged};
use crate::converge::{ConvergeError, Converged, Converger, Extent};
use crate::io::clock;
use crate::io::status_file::{StatusFile, SweepCount};
use crate::outbox::build_report;
use crate::provider::apt::is_installing;
use crate::watch::{FlapLimit, Hurry, Later, Watch, WatchedUnits, hurry_of};
use muster_schema::content::BlobRef;
use muster_schema::report::{Applied, Report};
use muster_schema::resource::Resource;
use muster_schema::state::{Cause, ResourceState};
use muster_schema::{Address, Collection, HostId, Timestamp};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a writer may take before its half-written file is looked at.
const WRITER_PATIENCE: Duration = Duration::from_millis(50);

/// What changes services and accounts does it in several steps.
const STEPS_PATIENCE: Duration = Duration::from_millis(150);

/// How long the package database must rest before it is looked at: while somebody installs, half of it is there.
const INSTALLER_PATIENCE: Duration = Duration::from_secs(2);

/// What the worker is told.
pub enum Order {
    /// A new manifest is in force.
    Manifest(Box<InForce>),
    /// The same manifest, under another revision or head.
    Relabel(Applied),
    /// The host has left the repository.
    Retire(Applied),
    /// The host has this id from now on.
    Named(HostId),
    /// The head has expired, at this time, or is good again. What is in force stays.
    Hold(Option<Timestamp>),
    /// Something happened on the host.
    Event(notify::Result<notify::Event>),
    /// Something happened to these services.
    Services(BTreeSet<Address>),
    /// Look at everything.
    Sweep,
    /// End at the next safe point.
    Stop,
}

/// A manifest in force.
pub struct InForce {
    /// Its resources.
    pub resources: Vec<Resource>,
    /// What reports say.
    pub applied: Applied,
    /// The manifest's bytes in the vault.
    pub manifest: BlobRef,
}

/// What the worker and the cycle share.
#[derive(Default)]
pub struct Shared {
    /// Something newer is there: a run in progress is to end at its next safe point.
    pub preempt: AtomicBool,
    /// Held from the first fetch of a manifest's contents until its order is given: what lies there and is named
    /// by nothing yet is not to be forgotten meanwhile.
    pub fetching: tokio::sync::Mutex<()>,
    report: Mutex<Option<Report>>,
    /// The units that systemd is to tell of.
    pub units: tokio::sync::watch::Sender<WatchedUnits>,
    /// Wakes the sender of reports.
    pub report_due: tokio::sync::Notify,
}

impl Shared {
    /// The newest state of the host, without news.
    pub fn report(&self) -> Option<Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_report(&self, report: Report) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
        self.report_due.notify_one();
    }
}

/// What a worker needs.
pub struct WorkerInput {
    /// The host.
    pub converger: Converger,
    /// What is in force from the last run.
    pub applied: Option<Applied>,
    /// The manifest in force, which stays in the vault.
    pub manifest: Option<BlobRef>,
    /// The host has left the repository.
    pub retired: bool,
    /// Time between full sweeps.
    pub sweep_interval: Duration,
    /// Where counters are told.
    pub status: StatusFile,
}

/// Works until it is told to stop.
///
/// # Errors
/// When the agent's own disk refuses: the agent ends, and its service manager starts it anew.
pub fn work(
    input: WorkerInput,
    root: &Path,
    orders: (Sender<Order>, Receiver<Order>),
    shared: &Arc<Shared>,
) -> Result<(), ConvergeError> {
    let (sender, receiver) = orders;
    let tell = move |event: notify::Result<notify::Event>| {
        // Our own sweeps open every file.
        if !event.as_ref().is_ok_and(|event| hurry_of(event) == Hurry::Never) {
            drop(sender.send(Order::Event(event)));
        }
    };
    let watch = Watch::begin(root, tell);
    let mut worker = Worker {
        watch: watch.inspect_err(|error| tracing::warn!(%error, "nothing is watched; sweeps find drift")).ok(),
        shared: shared.clone(),
        flaps: FlapLimit::default(),
        next_sweep: Instant::now() + input.sweep_interval,
        later: Later::default(),
        expired: None,
        counts: SweepCount::default(),
        input,
    };
    worker.resume()?;
    worker.tell();
    loop {
        let due = worker.next_due();
        match receiver.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Ok(order) => {
                let mut batch = EventBatch::default();
                let mut next = Some(order);
                while let Some(order) = next {
                    if let Order::Stop = order {
                        return Ok(());
                    }
                    worker.take(order, &mut batch)?;
                    next = receiver.try_recv().ok();
                }
                worker.heal(batch)?;
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        worker.do_what_is_due()?;
    }
}

/// What the events of one moment concern.
#[derive(Default)]
struct EventBatch {
    now: BTreeSet<Address>,
    everything: bool,
}

struct Worker {
    input: WorkerInput,
    watch: Option<Watch>,
    shared: Arc<Shared>,
    flaps: FlapLimit,
    next_sweep: Instant,
    /// What somebody is still working on, and when it is looked at all the same.
    later: Later,
    /// When the head ended, if no newer one could be had since.
    expired: Option<Timestamp>,
    counts: SweepCount,
}

impl Worker {
    fn take(&mut self, order: Order, batch: &mut EventBatch) -> Result<(), ConvergeError> {
        match order {
            Order::Manifest(in_force) => self.follow(*in_force),
            Order::Relabel(applied) => {
                self.input.applied = Some(applied);
                self.tell();
                Ok(())
            }
            Order::Retire(applied) => {
                self.input.applied = Some(applied);
                self.input.retired = true;
                self.watch = None;
                self.later = Later::default();
                self.shared.units.send_replace(WatchedUnits::new());
                self.tell();
                Ok(())
            }
            Order::Named(id) => {
                self.input.status.set_id(id);
                self.tell();
                Ok(())
            }
            Order::Hold(expired) => {
                self.expired = expired;
                self.tell();
                Ok(())
            }
            Order::Sweep => {
                batch.everything = true;
                Ok(())
            }
            Order::Event(event) => {
                self.note_event(event, batch);
                Ok(())
            }
            Order::Services(addresses) => {
                let due = Instant::now() + STEPS_PATIENCE;
                addresses.into_iter().for_each(|address| self.later.at(address, due));
                Ok(())
            }
            Order::Stop => Ok(()),
        }
    }

    fn follow(&mut self, in_force: InForce) -> Result<(), ConvergeError> {
        self.shared.preempt.store(false, Ordering::Relaxed);
        self.input.converger.set_resources(in_force.resources)?;
        self.input.applied = Some(in_force.applied);
        self.input.manifest = Some(in_force.manifest);
        self.input.retired = false;
        self.sweep(Cause::Intentional)
    }

    /// Takes up the manifest of the last run. What that run did not get to is no drift.
    fn resume(&mut self) -> Result<(), ConvergeError> {
        let Some(applied) = self.input.applied.as_ref().filter(|_| !self.input.retired) else { return Ok(()) };
        let known = load_converged(&self.input.converger.managed().store)? == Some(applied.manifest);
        self.sweep(if known { Cause::Corrective } else { Cause::Intentional })
    }

    fn note_event(&mut self, event: notify::Result<notify::Event>, batch: &mut EventBatch) {
        let Some(watch) = &mut self.watch else { return };
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "watching failed; looking at everything");
                batch.everything = true;
                return;
            }
        };
        let hurry = hurry_of(&event);
        if hurry == Hurry::Everything {
            batch.everything = true;
        }
        let now = Instant::now();
        for address in watch.concerned(&event) {
            match (address.collection(), hurry) {
                (_, Hurry::Never | Hurry::Everything) => {}
                (Collection::Packages, _) => self.later.not_before(address, now + INSTALLER_PATIENCE),
                (Collection::Services | Collection::Users | Collection::Groups, _) => {
                    self.later.at(address, now + STEPS_PATIENCE);
                }
                (_, Hurry::Soon) => self.later.at(address, now + WRITER_PATIENCE),
                (_, Hurry::Now) => {
                    self.later.forget(&address);
                    batch.now.insert(address);
                }
            }
        }
    }

    fn next_due(&self) -> Instant {
        [self.later.due(), self.input.status.due()].into_iter().flatten().fold(self.next_sweep, Instant::min)
    }

    fn do_what_is_due(&mut self) -> Result<(), ConvergeError> {
        self.input.status.write_due();
        let now = Instant::now();
        let due = self.later.take_due(now, is_installing);
        if !due.is_empty() {
            self.heal(EventBatch { now: due, everything: false })?;
        }
        if self.next_sweep <= now && !self.input.retired {
            self.sweep(Cause::Corrective)?;
            self.flaps.forget_old(now);
        }
        Ok(())
    }

    /// Puts right what events point at.
    fn heal(&mut self, batch: EventBatch) -> Result<(), ConvergeError> {
        if self.input.applied.is_none() || self.input.retired {
            return Ok(());
        }
        if batch.everything {
            return self.sweep(Cause::Corrective);
        }
        let now = Instant::now();
        let addresses: BTreeSet<Address> =
            batch.now.into_iter().filter(|address| !self.flaps.flaps(address, now)).collect();
        if addresses.is_empty() {
            return Ok(());
        }
        let converged = self.look_at(&addresses)?;
        for outcome in &converged.outcomes {
            let failed = outcome.state == Some(ResourceState::Error) && addresses.contains(&outcome.address);
            if (failed || outcome.changed) && self.flaps.count(&outcome.address, failed, now) {
                tracing::warn!(address = %outcome.address, "it is put right again and again; the next sweep tries again");
            }
        }
        if converged.changes() > 0 {
            self.tell();
        }
        let unseen = self.watch.as_mut().map(Watch::renew).unwrap_or_default();
        self.look_at_unseen(unseen)
    }

    fn look_at(&mut self, addresses: &BTreeSet<Address>) -> Result<Converged, ConvergeError> {
        let stop = self.stop();
        let converged = self.input.converger.converge(Cause::Corrective, Extent::Only(addresses), &stop, clock::now)?;
        log_changes(&converged);
        Ok(converged)
    }

    /// What lay in a folder before it was watched may have changed since our look.
    fn look_at_unseen(&mut self, unseen: BTreeSet<Address>) -> Result<(), ConvergeError> {
        if !unseen.is_empty() && self.look_at(&unseen)?.changes() > 0 {
            self.tell();
        }
        Ok(())
    }

    /// Looks at everything.
    fn sweep(&mut self, cause: Cause) -> Result<(), ConvergeError> {
        let begun = Instant::now();
        let cpu = clock::thread_cpu();
        let stop = self.stop();
        let converged = self.input.converger.converge(cause, Extent::All, &stop, clock::now)?;
        self.counts.sweeps += 1;
        self.counts.cpu += clock::thread_cpu().saturating_sub(cpu);
        self.next_sweep = Instant::now() + self.input.sweep_interval;
        log_changes(&converged);
        self.tell();
        let changes = converged.changes();
        if cause != Cause::Corrective || changes > 0 {
            tracing::info!(%cause, changes, took = ?begun.elapsed(), "converged");
        }
        self.watch_units();
        let paths = self.input.converger.watched_paths();
        let unseen = self.watch.as_mut().map(|watch| watch.set_paths(paths)).unwrap_or_default();
        self.look_at_unseen(unseen)?;
        if cause != Cause::Corrective && !converged.stopped {
            if let Some(applied) = &self.input.applied {
                commit_converged(&self.input.converger.managed().store, applied.manifest)?;
            }
            self.forget_contents()?;
        }
        Ok(())
    }

    /// Says of which units systemd is to tell, where that has changed.
    fn watch_units(&self) {
        let wanted = self.input.converger.watched_units();
        self.shared.units.send_if_modified(|units| {
            let other = *units != wanted;
            *units = wanted;
            other
        });
    }

    /// Forgets the contents that nothing names any more, unless a newer manifest is being fetched or waits for us:
    /// its contents are named by nothing that we know.
    fn forget_contents(&mut self) -> Result<(), ConvergeError> {
        let shared = self.shared.clone();
        let Ok(_nothing_comes) = shared.fetching.try_lock() else { return Ok(()) };
        if shared.preempt.load(Ordering::Relaxed) {
            return Ok(());
        }
        let needed: HashSet<BlobRef> = self.input.manifest.into_iter().collect();
        Ok(self.input.converger.forget_contents(&needed)?)
    }

    fn stop(&self) -> impl Fn() -> bool + use<> {
        let shared = self.shared.clone();
        move || shared.preempt.load(Ordering::Relaxed)
    }

    /// Tells the sender of reports and the status file how things are.
    fn tell(&mut self) {
        let known = &self.input.converger.managed().known;
        let report = build_report(known, self.input.applied.clone(), self.input.retired, self.expired);
        self.input.status.tell(&report, &self.counts);
        self.shared.set_report(report);
    }
}

fn log_changes(converged: &Converged) {
    for outcome in converged.outcomes.iter().filter(|outcome| outcome.changed) {
        tracing::info!(address = %outcome.address, cause = %outcome.cause, "{}", outcome.message);
    }
}
