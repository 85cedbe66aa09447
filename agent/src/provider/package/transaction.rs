//! Changing packages: one transaction for all of them, simulated first.

use std::cell::Cell;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::change::{PackageAction, PackageChange};
use super::preview::{DEFAULT_TIMEOUT, LOCK_WAIT, Preview, Ready, Surroundings};
use super::{Failure, PackageDatabase, PackageError, PackageManager};
use crate::host::{HostWrite, Program, ProgramOutput};

/// A manager on one host, for one apply.
pub struct Transaction<'a> {
    manager: &'a dyn PackageManager,
    host: &'a dyn HostWrite,
    timeout: Duration,
    refreshed: Cell<bool>,
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

    fn prepare(&self, changes: &[PackageChange], surroundings: &dyn Surroundings) -> Result<Ready, PackageError> {
        let refresh = || self.refresh();
        let preview = Preview::new(self.manager, self.host.as_read(), self.timeout, &refresh);
        preview.prepare(changes, surroundings)
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
