//! The thread that converges the host. Everything that may change the host happens here, one thing after the other.

mod checks;
mod confirm;
mod culprits;
mod events;
mod exceptions;
mod flaps;
mod orders;
mod poll;
mod retries;
mod shared;
mod sweep;
mod timed;

pub use orders::{InForce, Order, ProbeAnswer, WorkerInput};
pub use shared::Shared;

use crate::accepted::{load_checked, load_converged};
use crate::checks::Checks;
use crate::converge::{ConvergeError, Converged, Extent};
use crate::io::clock;
use crate::io::status_file::SweepCount;
use crate::outbox::{Circumstances, build_report};
use crate::provider::package::is_installing;
use crate::watch::{FlapLimit, Hurry, Later, Retries, Watch, WatchedUnits, hurry_of};
use confirm::Awaited;
use events::EventBatch;
use muster_schema::state::Cause;
use muster_schema::{Address, Timestamp};
use poll::Poll;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;
use sweep::log_changes;
use timed::Timed;

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
    let answers = sender.clone();
    let tell = move |event: notify::Result<notify::Event>| {
        // Our own sweeps open every file.
        if !event.as_ref().is_ok_and(|event| hurry_of(event) == Hurry::Never) {
            drop(sender.send(Order::Event(event)));
        }
    };
    let watch = Watch::begin(root, tell);
    let mut worker = Worker {
        watch: watch.inspect_err(|error| tracing::warn!(%error, "nothing is watched; sweeps find drift")).ok(),
        watched_schedule: None,
        shared: shared.clone(),
        flaps: FlapLimit::default(),
        next_sweep: Instant::now() + input.sweep_interval,
        later: Later::default(),
        retries: Retries::up_to(input.sweep_interval),
        flapping: BTreeMap::new(),
        poll: Poll::default(),
        timed: Timed::default(),
        checks: Checks::default(),
        answers,
        unwatched_places: 0,
        awaited: None,
        expired: None,
        counts: SweepCount::default(),
        input,
    };
    worker.take_up_armed()?;
    worker.resume()?;
    worker.await_contact()?;
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

struct Worker {
    input: WorkerInput,
    watch: Option<Watch>,
    /// The number of the schedule whose paths it watches.
    watched_schedule: Option<u64>,
    shared: Arc<Shared>,
    flaps: FlapLimit,
    /// What is left alone for a while, and why.
    flapping: BTreeMap<Address, String>,
    poll: Poll,
    timed: Timed,
    checks: Checks,
    /// Where probes tell how they ended.
    answers: Sender<Order>,
    /// How many places could not be watched.
    unwatched_places: usize,
    /// Contact that is waited for after a risky change.
    awaited: Option<Awaited>,
    next_sweep: Instant,
    /// What somebody is still working on, and when it is looked at all the same.
    later: Later,
    /// What could not be put right, and when it is tried again.
    retries: Retries,
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
                self.checks = Checks::default();
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
            Order::Contact(number) => self.contact(number),
            Order::Probed(answer) => self.take_answer(answer),
            Order::Sweep(asked) => {
                batch.everything = true;
                batch.asked.push(asked);
                Ok(())
            }
            Order::Event(event) => {
                self.note_event(event, batch);
                Ok(())
            }
            Order::Services(addresses) => {
                let now = Instant::now();
                for address in addresses {
                    let patience = self.input.converger.patience(&address);
                    self.later.at(address, now + patience.pause(false), patience);
                }
                Ok(())
            }
            Order::Stop => Ok(()),
        }
    }

    fn follow(&mut self, mut in_force: InForce) -> Result<(), ConvergeError> {
        self.shared.preempt.store(false, Ordering::Relaxed);
        let managed = self.input.converger.managed();
        if let Some(secrets) = managed.host.as_read().secrets() {
            secrets.keep_only(&mut in_force.resources, &managed.blobs);
        }
        self.input.converger.go_on_under(in_force.applied.content)?;
        self.input.converger.set_resources(in_force.resources)?;
        self.input.converger.judge_exceptions(self.shared.judged_time())?;
        self.set_checks(true);
        self.input.applied = Some(in_force.applied);
        self.input.manifest = Some(in_force.manifest);
        self.input.break_glass = in_force.break_glass;
        self.input.retired = false;
        self.sweep(Cause::Intentional)
    }

    /// Takes up the manifest of the last run. What that run did not get to is no drift.
    fn resume(&mut self) -> Result<(), ConvergeError> {
        let Some(applied) = self.input.applied.as_ref().filter(|_| !self.input.retired) else { return Ok(()) };
        let content = applied.content;
        let known = load_converged(&self.input.converger.managed().store)? == Some(applied.manifest);
        self.input.converger.go_on_under(content)?;
        let checked = load_checked(&self.input.converger.managed().store)? == Some(applied.manifest);
        self.set_checks(!(known && checked));
        self.sweep(if known { Cause::Corrective } else { Cause::Intentional })
    }

    fn next_due(&self) -> Instant {
        let due = [
            self.later.due(),
            self.retries_due(),
            self.input.status.due(),
            self.poll.due(),
            self.timed_due(),
            self.checks.due(),
            self.exception_due(),
            self.awaited.map(|awaited| awaited.deadline),
        ];
        due.into_iter().flatten().fold(self.next_sweep, Instant::min)
    }

    fn do_what_is_due(&mut self) -> Result<(), ConvergeError> {
        self.input.status.write_due();
        self.judge_exceptions()?;
        let now = Instant::now();
        self.await_contact()?;
        self.revert_overdue(now)?;
        let due = self.later.take_due(now, is_installing);
        if !due.is_empty() {
            self.heal(EventBatch { now: due, ..EventBatch::default() })?;
        }
        self.retry(now)?;
        self.poll(now)?;
        self.look_at_timed()?;
        self.probe(now)?;
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
        let flagged = self.flapping.len();
        let addresses = self.calm(batch.now, now);
        if addresses.is_empty() {
            return Ok(());
        }
        let converged = self.look_at(&addresses)?;
        self.count_flaps(&converged, &addresses, now)?;
        self.end_blame();
        if self.flapping.len() != flagged {
            self.tell();
        }
        let unseen = self.renew_watches();
        self.look_at_unseen(unseen)
    }

    /// Looks at these, and tells what is new: what is only audited or cannot be put right is news, too.
    fn look_at(&mut self, addresses: &BTreeSet<Address>) -> Result<Converged, ConvergeError> {
        let stop = self.stop();
        let told = self.input.converger.managed().known.last_transition();
        let extent = Extent::Only(addresses);
        self.begin_blame(extent);
        let converged = self.input.converger.converge(Cause::Corrective, extent, &stop, clock::now)?;
        // One change may have led to others.
        let changed = converged.outcomes.iter().map(|outcome| &outcome.address);
        self.set_timed(Extent::Only(&addresses.iter().chain(changed).cloned().collect()));
        log_changes(&converged, &self.input.converger.managed().known);
        self.note_failures(&converged);
        if self.input.converger.managed().known.last_transition() != told {
            self.tell();
        }
        Ok(converged)
    }

    /// What lay in a folder before it was watched may have changed since our look.
    fn look_at_unseen(&mut self, unseen: BTreeSet<Address>) -> Result<(), ConvergeError> {
        if !unseen.is_empty() {
            self.look_at(&unseen)?;
            self.end_blame();
        }
        Ok(())
    }

    fn stop(&self) -> impl Fn() -> bool + use<> {
        let shared = self.shared.clone();
        move || shared.preempt.load(Ordering::Relaxed)
    }

    /// Tells the sender of reports and the status file how things are.
    fn tell(&mut self) {
        let managed = self.input.converger.managed();
        let circumstances = Circumstances {
            applied: self.input.applied.clone(),
            retired: self.input.retired,
            break_glass: self.input.break_glass.clone(),
            expired: self.expired,
            flapping: self.flapping.iter().next().map(|(address, message)| format!("{address}: {message}")),
            unwatched: self.unwatched_places,
            checks: self.checks.summary(),
        };
        let mut report = build_report(&managed.known, circumstances);
        report.exceptions = self.report_exceptions();
        self.input.status.tell(&report, managed.risk.reverted(), &self.counts);
        self.shared.set_report(report);
    }
}
