//! Changing packages: one transaction for all of them, simulated first.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::change::{PackageAction, PackageChange};
use super::check::{check_simulation, check_versions};
use super::{Failure, PackageDatabase, PackageError, PackageManager, Request, Simulation, stdout_of};
use crate::host::{HostWrite, Program, ProgramOutput};

/// How long a transaction may take where nothing is said: downloads are slow, and none is to be ended halfway.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How long another program's lock is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(180);

/// A manager on one host, for one apply.
pub struct Transaction<'a> {
    manager: &'a dyn PackageManager,
    host: &'a dyn HostWrite,
    timeout: Duration,
    refreshed: Cell<bool>,
}

/// What a transaction needs to know beside its changes.
pub trait Surroundings {
    /// Whether the package is managed for its own sake, and stays though nothing needs it.
    fn is_managed(&self, name: &str) -> bool;

    /// Called before a transaction: `brought` is what `changes` bring with them.
    ///
    /// # Errors
    /// When it cannot be written down; the transaction is then not run.
    fn note_brought(&mut self, changes: &[PackageChange], brought: &[String]) -> std::io::Result<()>;
}

/// A transaction that was simulated and found good.
struct Ready {
    commits: Vec<Program>,
    brought: Vec<String>,
}

impl<'a> Transaction<'a> {
    /// `manager` on `host`; each program may take `timeout`.
    pub fn new(manager: &'a dyn PackageManager, host: &'a dyn HostWrite, timeout: Option<Duration>) -> Transaction<'a> {
        let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT);
        Transaction { manager, host, timeout, refreshed: Cell::new(false) }
    }

    /// The host that it changes.
    pub fn host(&self) -> &'a dyn HostWrite {
        self.host
    }

    /// How long each program may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Makes the changes, in one transaction if that is possible. The answers are in the order of the changes; one
    /// that is refused does not hold up the others.
    pub fn change_packages(
        &self,
        changes: &[PackageChange],
        surroundings: &mut dyn Surroundings,
    ) -> Vec<Result<(), PackageError>> {
        let refused = match self.prepare(changes, surroundings) {
            Ok(ready) => return self.carry_out(changes, &ready, surroundings),
            Err(error) => error,
        };
        if changes.len() == 1 {
            return vec![Err(refused)];
        }
        let alone: Vec<Result<(), PackageError>> =
            changes.iter().map(|change| self.prepare(std::slice::from_ref(change), surroundings).map(drop)).collect();
        let good: Vec<PackageChange> =
            changes.iter().zip(&alone).filter(|(_, result)| result.is_ok()).map(|(change, _)| change.clone()).collect();
        let answers = if good.len() == changes.len() {
            // Each is possible, but not all together.
            good.iter().flat_map(|one| self.change_packages(std::slice::from_ref(one), surroundings)).collect()
        } else if good.is_empty() {
            Vec::new()
        } else {
            self.change_packages(&good, surroundings)
        };
        let mut answers = answers.into_iter();
        alone.into_iter().map(|result| result.and_then(|()| answers.next().unwrap_or(Ok(())))).collect()
    }

    /// Runs a program that must succeed; waits while another one holds a lock, and lets the manager finish what was
    /// interrupted.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, program: &Program) -> Result<ProgramOutput, PackageError> {
        let output = self.run_patiently(program)?;
        if self.manager.succeeded(&output) {
            Ok(output)
        } else {
            Err(PackageError::Failed(self.manager.reason(&output)))
        }
    }

    /// Simulates the changes and checks what they would do.
    fn prepare(&self, changes: &[PackageChange], surroundings: &dyn Surroundings) -> Result<Ready, PackageError> {
        let database = self.load_database()?;
        let changes = &self.choose_versions(changes)?[..];
        let none = BTreeSet::new();
        let request = Request { changes, extra: &none, database: &database, timeout: self.timeout };
        let extra = self.needless(&request, surroundings)?;
        let judged = self.judge(&Request { extra: &extra, ..request });
        let (simulation, commits) = match judged {
            // Something needs what came along after all: then that stays.
            Err(_) if !extra.is_empty() => self.judge(&request)?,
            other => other?,
        };
        let is_new = |name: &str| !changes.iter().any(|change| change.is_of(name));
        let brought = simulation.installs.into_iter().filter(|install| install.old.is_none() && is_new(&install.name));
        Ok(Ready { commits, brought: brought.map(|install| install.name).collect() })
    }

    /// What a request would do, if that is what was asked for, and the programs that do it.
    fn judge(&self, request: &Request<'_>) -> Result<(Simulation, Vec<Program>), PackageError> {
        let mut simulation = Simulation::default();
        let mut commits = Vec::new();
        for step in self.manager.plan_steps(request) {
            simulation.join(self.simulate(&step.simulate)?);
            commits.push(step.commit);
        }
        for install in &mut simulation.installs {
            if install.old.is_none() {
                install.old = request.database.get(&install.name).map(|installed| installed.version.clone());
            }
        }
        check_simulation(&simulation, request, self.manager).map_err(PackageError::Refused)?;
        check_versions(&simulation, request, self.manager).map_err(PackageError::NoVersion)?;
        Ok((simulation, commits))
    }

    /// The same changes, with a version where the manager does not take what was demanded: the newest that is right.
    fn choose_versions(&self, changes: &[PackageChange]) -> Result<Vec<PackageChange>, PackageError> {
        let mut chosen = changes.to_vec();
        for change in &mut chosen {
            let PackageAction::Install { version: Some(demand) } = &change.action else { continue };
            if self.manager.takes(demand) {
                continue;
            }
            let mut best = self.best_version(change, demand)?;
            if best.is_none() && self.refresh() {
                best = self.best_version(change, demand)?;
            }
            let Some(best) = best else {
                let reason = format!("no version of {} that is {demand} was found", change.name);
                return Err(PackageError::NoVersion(reason));
            };
            change.action = PackageAction::Install { version: Some(super::VersionDemand::Exact(best)) };
        }
        Ok(chosen)
    }

    fn best_version(
        &self,
        change: &PackageChange,
        demand: &super::VersionDemand,
    ) -> Result<Option<String>, PackageError> {
        let output = self.host.query(&self.manager.versions_program(&change.name, self.timeout))?;
        let mut versions = self.manager.load_versions(&change.name, &stdout_of(&output));
        versions.retain(|version| demand.is_met(version, self.manager));
        Ok(versions.into_iter().max_by(|a, b| self.manager.compare_versions(a, b)))
    }

    /// What was brought by the packages that go, was not asked for by anybody, and is needed by nothing then.
    fn needless(
        &self,
        request: &Request<'_>,
        surroundings: &dyn Surroundings,
    ) -> Result<BTreeSet<String>, PackageError> {
        let brought: BTreeSet<&String> = request
            .changes
            .iter()
            .filter_map(|change| match &change.action {
                PackageAction::Remove { brought } => Some(brought),
                _ => None,
            })
            .flatten()
            .collect();
        if brought.is_empty() {
            return Ok(BTreeSet::new());
        }
        // A managed package counts as asked for, and what it needs as needed.
        let database = request.database;
        let (managed, mut brought): (BTreeSet<&String>, BTreeSet<&String>) =
            brought.into_iter().partition(|name| surroundings.is_managed(name));
        let kept: Vec<String> = managed.into_iter().filter(|name| database.get(name).is_some()).cloned().collect();
        brought.retain(|name| database.get(name).is_some_and(|installed| !installed.hold));
        let output = self.host.query(&self.manager.cleaning_program(request, &kept))?;
        let simulation = self.manager.load_simulation(&output).unwrap_or_default();
        let asked = |name: &String| request.changes.iter().any(|change| change.is_of(name));
        Ok(simulation.removals.into_iter().filter(|name| brought.contains(name) && !asked(name)).collect())
    }

    fn carry_out(
        &self,
        changes: &[PackageChange],
        ready: &Ready,
        surroundings: &mut dyn Surroundings,
    ) -> Vec<Result<(), PackageError>> {
        if let Err(error) = surroundings.note_brought(changes, &ready.brought) {
            return changes.iter().map(|_| Err(PackageError::Note(error.kind().into()))).collect();
        }
        let failed = match ready.commits.iter().try_for_each(|program| self.commit(program)) {
            Ok(()) => return changes.iter().map(|_| Ok(())).collect(),
            Err(error) => error.chain(),
        };
        // One that fails is no failure of those that are in place by now.
        let database = self.load_database().unwrap_or_default();
        let is_done = |change| is_done(change, &database, self.manager);
        let answer = |change| if is_done(change) { Ok(()) } else { Err(PackageError::Failed(failed.clone())) };
        changes.iter().map(answer).collect()
    }

    fn commit(&self, program: &Program) -> Result<(), PackageError> {
        let mut output = self.run_patiently(program)?;
        // The lists may name files that the archive has replaced since.
        let outdated = !self.manager.succeeded(&output) && self.manager.judge(&output) == Failure::Outdated;
        if outdated && self.refresh() {
            output = self.run_patiently(program)?;
        }
        if self.manager.succeeded(&output) { Ok(()) } else { Err(PackageError::Failed(self.manager.reason(&output))) }
    }

    /// Simulates; refreshes the lists, once, when they do not know what is asked for.
    fn simulate(&self, program: &Program) -> Result<Simulation, PackageError> {
        let deadline = Instant::now() + LOCK_WAIT.min(self.timeout);
        loop {
            let output = self.host.query(program)?;
            if let Some(simulation) = self.manager.load_simulation(&output) {
                return Ok(simulation);
            }
            match self.manager.judge(&output) {
                Failure::Outdated if self.refresh() => {}
                Failure::Locked if Instant::now() < deadline => sleep(Duration::from_secs(1)),
                failure => {
                    return Err(match (self.manager.refusal(&output), failure) {
                        (Some(refusal), _) => PackageError::Refused(refusal),
                        (None, Failure::Outdated) => PackageError::NoVersion(self.manager.reason(&output)),
                        (None, _) => PackageError::Failed(self.manager.reason(&output)),
                    });
                }
            }
        }
    }

    fn load_database(&self) -> Result<PackageDatabase, PackageError> {
        self.manager.load_database(self.host.as_read(), self.host.reader().as_mut(), &[])
    }

    /// Refreshes the lists of packages, if that was not done yet. Whether it was done now. A list that cannot be had
    /// is no error: the next simulation tells whether it was needed.
    fn refresh(&self) -> bool {
        if self.refreshed.replace(true) {
            return false;
        }
        self.run_patiently(&self.manager.refresh_program(self.timeout)).is_ok()
    }

    /// Runs a program; waits while another one holds a lock, and lets the manager finish what was interrupted.
    fn run_patiently(&self, program: &Program) -> Result<ProgramOutput, PackageError> {
        let deadline = Instant::now() + LOCK_WAIT.min(self.timeout);
        let mut mended = false;
        loop {
            let output = self.host.run(program)?;
            if self.manager.succeeded(&output) {
                return Ok(output);
            }
            match self.manager.judge(&output) {
                Failure::Locked if Instant::now() < deadline => sleep(Duration::from_secs(1)),
                Failure::Interrupted if !mended => {
                    mended = true;
                    let Some(mend) = self.manager.mend_program(self.timeout) else { return Ok(output) };
                    self.host.run(&mend)?;
                }
                _ => return Ok(output),
            }
        }
    }
}

fn is_done(change: &PackageChange, database: &PackageDatabase, manager: &dyn PackageManager) -> bool {
    let installed = database.get(change.name.as_str());
    match &change.action {
        PackageAction::Install { version: Some(demand) } => {
            installed.is_some_and(|installed| demand.is_met(&installed.version, manager))
        }
        PackageAction::Install { version: None } => installed.is_some(),
        // Whether a newer one is to be had is not in the database.
        PackageAction::Upgrade => false,
        PackageAction::Remove { .. } => installed.is_none(),
    }
}
