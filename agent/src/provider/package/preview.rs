//! What a transaction would do. Nothing is changed.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::change::{PackageAction, PackageChange};
use super::check::{check_simulation, check_versions};
use super::{Failure, PackageError, PackageManager, Request, Simulation, VersionDemand, stdout_of};
use crate::host::{HostRead, Program};

/// How long a transaction may take where nothing is said: downloads are slow, and none is to be ended halfway.
pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How long another program's lock is waited for.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(180);

/// How long one look may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(60);

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
pub struct Ready {
    pub(super) commits: Vec<Program>,
    pub(super) brought: Vec<String>,
}

/// Simulates changes on one host.
pub struct Preview<'a> {
    manager: &'a dyn PackageManager,
    host: &'a dyn HostRead,
    timeout: Duration,
    /// Refreshes the lists of packages; whether it did.
    refresh: &'a dyn Fn() -> bool,
}

impl<'a> Preview<'a> {
    pub(super) fn new(
        manager: &'a dyn PackageManager,
        host: &'a dyn HostRead,
        timeout: Duration,
        refresh: &'a dyn Fn() -> bool,
    ) -> Preview<'a> {
        Preview { manager, host, timeout, refresh }
    }

    /// On a host that is only looked at: the lists of packages stay as old as they are.
    pub fn look(manager: &'a dyn PackageManager, host: &'a dyn HostRead) -> Preview<'a> {
        Preview { manager, host, timeout: LOOK_TIMEOUT, refresh: &|| false }
    }

    /// Simulates the changes and checks what they would do.
    ///
    /// # Errors
    /// `Refused` when they would do more than was asked for; else when they are not possible.
    pub fn prepare(&self, changes: &[PackageChange], surroundings: &dyn Surroundings) -> Result<Ready, PackageError> {
        let database = self.manager.load_database(self.host, self.host.reader().as_mut(), &[])?;
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
            if best.is_none() && (self.refresh)() {
                best = self.best_version(change, demand)?;
            }
            let Some(best) = best else {
                let reason = format!("no version of {} that is {demand} was found", change.name);
                return Err(PackageError::NoVersion(reason));
            };
            change.action = PackageAction::Install { version: Some(VersionDemand::Exact(best)) };
        }
        Ok(chosen)
    }

    fn best_version(&self, change: &PackageChange, demand: &VersionDemand) -> Result<Option<String>, PackageError> {
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

    /// Simulates; refreshes the lists, once, when they do not know what is asked for.
    fn simulate(&self, program: &Program) -> Result<Simulation, PackageError> {
        let deadline = Instant::now() + LOCK_WAIT.min(self.timeout);
        loop {
            let output = self.host.query(program)?;
            if let Some(simulation) = self.manager.load_simulation(&output) {
                return Ok(simulation);
            }
            match self.manager.judge(&output) {
                Failure::Outdated if (self.refresh)() => {}
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
}
