//! Which checks there are, when each is probed, and what the answers mean. Pure: the worker gives the time and runs the
//! probes.

mod summary;
#[cfg(test)]
mod tests;

pub use summary::CheckSummary;

use muster_schema::Address;
use muster_schema::resource::{CheckSpec, Severity};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(10);
const RETRIES: u32 = 2;
/// A probe that failed and whose check has not is repeated so soon.
const AGAIN: Duration = Duration::from_secs(5);
/// A probe ends by itself in its time. So much later it hangs.
const GRACE: Duration = Duration::from_secs(5);
/// So many probes run at a time.
const MAX_PROBES: usize = 16;

/// A check of the manifest in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is probed.
    pub spec: Box<CheckSpec>,
    /// How long one probe may take, as far as that is said.
    pub timeout: Option<u32>,
    /// How many further probes are to fail before the check does, as far as that is said.
    pub retry: Option<u32>,
}

/// A probe to be run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The check.
    pub address: Address,
    /// Its number; the answer carries it.
    pub number: u64,
    /// What is probed.
    pub spec: Box<CheckSpec>,
    /// How long it may take.
    pub timeout: Duration,
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckState {
    /// The last probe succeeded.
    Passes,
    /// So many probes failed that the check does; why.
    Fails(String),
}

/// All checks of the host.
#[derive(Debug, Default)]
pub struct Checks {
    entries: BTreeMap<Address, Entry>,
    last_number: u64,
}

#[derive(Debug)]
struct Entry {
    check: Check,
    state: Option<CheckState>,
    /// Whether `state` is of the manifest in force.
    decided: bool,
    failures: u32,
    next: Instant,
    running: Option<Running>,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    number: u64,
    /// Later than this, it hangs.
    deadline: Instant,
    /// It hangs. That was counted, and its answer counts no more.
    hangs: bool,
}

impl Check {
    fn interval(&self) -> Duration {
        self.spec.interval.map_or(INTERVAL, |seconds| Duration::from_secs(seconds.max(1).into()))
    }

    fn timeout(&self) -> Duration {
        self.timeout.map_or(TIMEOUT, |seconds| Duration::from_secs(seconds.max(1).into()))
    }

    fn allowed_failures(&self) -> u32 {
        self.retry.unwrap_or(RETRIES)
    }

    fn is_required(&self) -> bool {
        self.spec.severity.unwrap_or_default() == Severity::Required
    }
}

impl Checks {
    /// Takes up the checks that are in force now. Where that is `anew`, all are to be answered once more. `known` says
    /// what is known of a check from before.
    pub fn set(
        &mut self,
        checks: BTreeMap<Address, Check>,
        anew: bool,
        known: impl Fn(&Address) -> Option<CheckState>,
        now: Instant,
    ) {
        let mut before = std::mem::take(&mut self.entries);
        for (address, check) in checks {
            let entry = match before.remove(&address) {
                Some(old) if old.check == check && (!anew || old.hangs()) => old,
                // The answer of a probe that still runs has a number that nobody waits for.
                Some(old) => Entry::new(check, old.state, false, now),
                None => {
                    let state = known(&address);
                    let decided = !anew && state.is_some();
                    Entry::new(check, state, decided, now)
                }
            };
            self.entries.insert(address, entry);
        }
    }

    /// When something is to be done: a probe to be begun, or one that hangs to be noticed.
    pub fn due(&self) -> Option<Instant> {
        let free = self.running() < MAX_PROBES;
        let due = self.entries.values().filter_map(|entry| match entry.running {
            None => free.then_some(entry.next),
            Some(running) => (!running.hangs).then_some(running.deadline),
        });
        due.min()
    }

    /// The probes to begin now. Each is to be answered.
    pub fn take_due(&mut self, now: Instant) -> Vec<Probe> {
        let free = MAX_PROBES.saturating_sub(self.running());
        let mut due: Vec<_> =
            self.entries.iter_mut().filter(|(_, entry)| entry.running.is_none() && entry.next <= now).collect();
        // Who has waited longest is first.
        due.sort_by_key(|(_, entry)| entry.next);
        let begin = |(address, entry): (&Address, &mut Entry)| {
            self.last_number += 1;
            let timeout = entry.check.timeout();
            let running = Running { number: self.last_number, deadline: now + timeout + GRACE, hangs: false };
            entry.running = Some(running);
            Probe { address: address.clone(), number: running.number, spec: entry.check.spec.clone(), timeout }
        };
        due.into_iter().take(free).map(begin).collect()
    }

    /// Takes the answer of a probe. Gives the state of the check where that is decided anew: for the first time under
    /// this manifest, or other than before.
    pub fn answer(
        &mut self,
        address: &Address,
        number: u64,
        answer: Result<(), String>,
        now: Instant,
    ) -> Option<CheckState> {
        let entry = self.entries.get_mut(address)?;
        let running = entry.running.filter(|running| running.number == number)?;
        entry.running = None;
        if running.hangs {
            entry.next = entry.next.max(now);
            return None;
        }
        entry.judge(answer, now)
    }

    /// The checks whose probes hang, which counts as a failure of each; with their states, where those are decided anew.
    pub fn take_hanging(&mut self, now: Instant) -> Vec<(Address, CheckState)> {
        let mut told = Vec::new();
        for (address, entry) in &mut self.entries {
            let Some(running) = entry.running.as_mut().filter(|running| !running.hangs && running.deadline <= now)
            else {
                continue;
            };
            running.hangs = true;
            let limit = entry.check.timeout().as_secs();
            // It is not probed again before the probe has ended, so that this is all there is to know.
            entry.failures = entry.failures.max(entry.check.allowed_failures());
            let state = entry.judge(Err(format!("the probe hangs: no answer within {limit} s")), now);
            told.extend(state.map(|state| (address.clone(), state)));
        }
        told
    }

    /// Whether each check has an answer under the manifest in force.
    pub fn are_decided(&self) -> bool {
        self.entries.values().all(|entry| entry.decided)
    }

    /// What they mean for the host.
    pub fn summary(&self) -> CheckSummary {
        let mut summary = CheckSummary::default();
        for (address, entry) in &self.entries {
            let required = entry.check.is_required();
            if let Some(CheckState::Fails(why)) = entry.state.as_ref().filter(|_| entry.decided) {
                let slot = if required { &mut summary.failing } else { &mut summary.warning };
                slot.get_or_insert_with(|| format!("{address}: {why}"));
            }
            if required && !entry.decided {
                summary.undecided.get_or_insert_with(|| address.clone());
            }
        }
        summary
    }

    /// How many probes run, without those that hang: they would hold up the others.
    fn running(&self) -> usize {
        self.entries.values().filter(|entry| entry.running.is_some() && !entry.hangs()).count()
    }
}

impl Entry {
    fn new(check: Check, state: Option<CheckState>, decided: bool, now: Instant) -> Entry {
        Entry { check, state, decided, failures: 0, next: now, running: None }
    }

    fn hangs(&self) -> bool {
        self.running.is_some_and(|running| running.hangs)
    }

    fn judge(&mut self, answer: Result<(), String>, now: Instant) -> Option<CheckState> {
        let interval = self.check.interval();
        self.next = now + interval;
        let state = match answer {
            Ok(()) => {
                self.failures = 0;
                CheckState::Passes
            }
            Err(why) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures <= self.check.allowed_failures() && !self.fails() {
                    self.next = now + interval.min(AGAIN);
                    return None;
                }
                CheckState::Fails(why)
            }
        };
        let same = match (&self.state, &state) {
            (Some(CheckState::Passes), CheckState::Passes) => true,
            // Another wording of the same failure is no news.
            (Some(CheckState::Fails(_)), CheckState::Fails(_)) => true,
            _ => false,
        };
        if self.decided && same {
            return None;
        }
        self.decided = true;
        self.state = Some(state.clone());
        Some(state)
    }

    /// Whether it is known to fail under this manifest, so that one more failure decides nothing.
    fn fails(&self) -> bool {
        self.decided && matches!(self.state, Some(CheckState::Fails(_)))
    }
}
