//! Changing packages: one transaction for all of them, simulated first.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::change::{PackageAction, PackageChange};
use super::check::check_simulation;
use super::command::{self, Freedom};
use super::database::PackageDatabase;
use super::failure::{Failure, failure_reason, judge_failure};
use super::simulation::{Simulation, load_simulation};
use super::version::matches_version;
use crate::host::{HostError, HostWrite, Program, ProgramOutput};

#[cfg(test)]
mod tests;

/// How long a transaction may take where nothing is said: downloads are slow, and dpkg is not to be ended halfway.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// How long another program's lock is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(180);

/// Why packages were not changed.
#[derive(Debug, thiserror::Error)]
pub enum AptError {
    /// It would do more than was asked for.
    #[error("{0}")]
    Refused(String),
    /// A program of the package manager said no.
    #[error("{0}")]
    Failed(String),
    /// The host could not run a program or read a file.
    #[error("the package manager cannot be used")]
    Host(#[from] HostError),
    /// What is needed to undo the change could not be written down.
    #[error("what comes with the packages cannot be noted")]
    Note(#[source] std::io::Error),
}

/// apt on one host, for one apply.
pub struct Apt<'a> {
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
    words: Vec<String>,
    freedom: Freedom,
    brought: Vec<String>,
}

impl<'a> Apt<'a> {
    /// apt on `host`; each program may take `timeout`.
    pub fn new(host: &'a dyn HostWrite, timeout: Option<Duration>) -> Apt<'a> {
        Apt { host, timeout: timeout.unwrap_or(DEFAULT_TIMEOUT), refreshed: Cell::new(false) }
    }

    /// Makes the changes, in one transaction if that is possible. The answers are in the order of the changes; one
    /// that is refused does not hold up the others.
    pub fn change_packages(
        &self,
        changes: &[PackageChange],
        surroundings: &mut dyn Surroundings,
    ) -> Vec<Result<(), AptError>> {
        let refused = match self.prepare(changes, surroundings) {
            Ok(ready) => return self.carry_out(changes, &ready, surroundings),
            Err(error) => error,
        };
        if changes.len() == 1 {
            return vec![Err(refused)];
        }
        let alone: Vec<Result<(), AptError>> =
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

    /// Holds the packages, or lets them go.
    ///
    /// # Errors
    /// When `apt-mark` fails.
    pub fn set_hold(&self, names: &[String], hold: bool) -> Result<(), AptError> {
        if names.is_empty() {
            return Ok(());
        }
        let output = self.run_patiently(&command::hold_program(names, hold, self.timeout))?;
        if output.success() { Ok(()) } else { Err(AptError::Failed(reason(&output))) }
    }

    /// Simulates the changes and checks what they would do.
    fn prepare(&self, changes: &[PackageChange], surroundings: &dyn Surroundings) -> Result<Ready, AptError> {
        let freedom = Freedom::of(changes);
        let mut words: Vec<String> = changes.iter().map(PackageChange::word).collect();
        let extra = self.needless(changes, &words, freedom, surroundings)?;
        let named = words.len();
        words.extend(extra.iter().map(|name| format!("{name}-")));
        let database = PackageDatabase::load(self.host.reader().as_mut())?;
        let judged = self.simulate(&words, freedom).and_then(|simulation| {
            check_simulation(&simulation, changes, &extra, &database).map_err(AptError::Refused)?;
            Ok(simulation)
        });
        let simulation = match judged {
            Err(_) if !extra.is_empty() => {
                // Something needs what came along after all: then that stays.
                words.truncate(named);
                let simulation = self.simulate(&words, freedom)?;
                check_simulation(&simulation, changes, &BTreeSet::new(), &database).map_err(AptError::Refused)?;
                simulation
            }
            other => other?,
        };
        let is_new = |name: &str| !changes.iter().any(|change| change.is_of(name));
        let brought = simulation.installs.into_iter().filter(|install| install.old.is_none() && is_new(&install.name));
        Ok(Ready { words, freedom, brought: brought.map(|install| install.name).collect() })
    }

    /// What was brought by the packages that go, was not asked for by anybody, and is needed by nothing then.
    fn needless(
        &self,
        changes: &[PackageChange],
        words: &[String],
        freedom: Freedom,
        surroundings: &dyn Surroundings,
    ) -> Result<BTreeSet<String>, AptError> {
        let brought: BTreeSet<&String> = changes
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
        let (managed, mut brought): (BTreeSet<&String>, BTreeSet<&String>) =
            brought.into_iter().partition(|name| surroundings.is_managed(name));
        let mut words = words.to_vec();
        let database = PackageDatabase::load(self.host.reader().as_mut())?;
        words.extend(managed.into_iter().filter(|name| database.get(name).is_some()).cloned());
        brought.retain(|name| database.get(name).is_some_and(|installed| !installed.hold));
        let output = self.host.query(&command::simulate_cleaning_program(&words, freedom, self.timeout))?;
        let simulation = load_simulation(&String::from_utf8_lossy(&output.stdout));
        Ok(simulation.removals.into_iter().filter(|name| brought.contains(name)).collect())
    }

    fn carry_out(
        &self,
        changes: &[PackageChange],
        ready: &Ready,
        surroundings: &mut dyn Surroundings,
    ) -> Vec<Result<(), AptError>> {
        let all = |error: &dyn Fn() -> AptError| changes.iter().map(|_| Err(error())).collect();
        if let Err(error) = surroundings.note_brought(changes, &ready.brought) {
            return all(&|| AptError::Note(error.kind().into()));
        }
        let run = || self.run_patiently(&command::install_program(&ready.words, ready.freedom, self.timeout));
        let mut output = run();
        // The lists may name files that the archive has replaced since.
        if output.as_ref().is_ok_and(|output| !output.success() && judge(output) == Failure::Outdated) && self.refresh()
        {
            output = run();
        }
        let failed = match output {
            Ok(output) if output.success() => return changes.iter().map(|_| Ok(())).collect(),
            Ok(output) => reason(&output),
            Err(error) => whole_reason(&error),
        };
        // One that fails is no failure of those that are in place by now.
        let database = PackageDatabase::load(self.host.reader().as_mut()).unwrap_or_default();
        let answer = |change| if is_done(change, &database) { Ok(()) } else { Err(AptError::Failed(failed.clone())) };
        changes.iter().map(answer).collect()
    }

    /// Simulates; refreshes the lists, once, when they do not know what is asked for.
    fn simulate(&self, words: &[String], freedom: Freedom) -> Result<Simulation, AptError> {
        let program = command::simulate_program(words, freedom, self.timeout);
        let mut output = self.host.query(&program)?;
        if !output.success() && judge(&output) == Failure::Outdated && self.refresh() {
            output = self.host.query(&program)?;
        }
        if output.success() {
            return Ok(load_simulation(&String::from_utf8_lossy(&output.stdout)));
        }
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(match refusal(&text) {
            Some(refusal) => AptError::Refused(refusal.to_owned()),
            None => AptError::Failed(reason(&output)),
        })
    }

    /// Refreshes the lists of packages, if that was not done yet. Whether it was done now. A list that cannot be had
    /// is no error: the next simulation tells whether it was needed.
    fn refresh(&self) -> bool {
        if self.refreshed.replace(true) {
            return false;
        }
        self.run_patiently(&command::update_program(self.timeout)).is_ok()
    }

    /// Runs a program; waits while another one holds a lock, and lets dpkg finish what was interrupted.
    fn run_patiently(&self, program: &Program) -> Result<ProgramOutput, AptError> {
        let deadline = Instant::now() + LOCK_WAIT.min(self.timeout);
        let mut finished = false;
        loop {
            let output = self.host.run(program)?;
            if output.success() {
                return Ok(output);
            }
            match judge(&output) {
                Failure::Locked if Instant::now() < deadline => sleep(Duration::from_secs(1)),
                Failure::Interrupted if !finished => {
                    finished = true;
                    self.host.run(&command::configure_program(self.timeout))?;
                }
                _ => return Ok(output),
            }
        }
    }
}

/// What apt itself refuses without leave.
fn refusal(text: &str) -> Option<&'static str> {
    [
        ("Held packages were changed", "a held package would change"),
        ("Packages were downgraded", "a version would go down, and allow_downgrade is not set"),
        ("this may be caused by held packages", "a held package stands against it"),
        ("Essential packages were removed", "an essential package would be removed"),
    ]
    .into_iter()
    .find(|(sign, _)| text.contains(sign))
    .map(|(_, refusal)| refusal)
}

/// An error and what caused it, in one line.
fn whole_reason(error: &AptError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn is_done(change: &PackageChange, database: &PackageDatabase) -> bool {
    let installed = database.get(change.name.as_str());
    match &change.action {
        PackageAction::Install { version: Some(version) } => {
            installed.is_some_and(|installed| matches_version(version, &installed.version))
        }
        PackageAction::Install { version: None } => installed.is_some(),
        // Whether a newer one is to be had is not in the database.
        PackageAction::Upgrade => false,
        PackageAction::Remove { .. } => installed.is_none(),
    }
}

fn judge(output: &ProgramOutput) -> Failure {
    judge_failure(&format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout)))
}

fn reason(output: &ProgramOutput) -> String {
    failure_reason(&String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr))
}
