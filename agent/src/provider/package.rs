//! Package managers: one face for all of them.
//!
//! A manager says which programs to run and how their words are read; [`Transaction`] does what is the same for all:
//! simulate first, refuse what would reach further than asked, wait for locks, refresh lists that are too old, note
//! what comes along. Reading the database runs at most one program a pass, however many packages are managed.

mod change;
mod check;
mod choice;
mod database;
mod demand;
mod failure;
mod lock;
mod name;
mod preview;
mod simulation;
#[cfg(test)]
pub(crate) mod test_scenario;
mod transaction;

pub use change::{PackageAction, PackageChange, PackageOptions};
pub use choice::{NoManager, all_managers, choose_manager, load_installed};
pub use database::{Installed, PackageDatabase};
pub use demand::VersionDemand;
pub use failure::{Failure, PackageError, find_sign, reason_by};
pub use lock::is_installing;
pub use name::{BadPackageName, PackageName};
pub use preview::{Preview, Surroundings};
pub use simulation::{PlannedInstall, Simulation};
pub use transaction::Transaction;

use crate::host::{HostError, HostRead, Program, ProgramOutput, Reader};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

/// How a manager shows itself on a host.
#[derive(Debug, Clone, Copy)]
pub struct Signs {
    /// Its programs; one of them is there.
    pub tools: &'static [&'static str],
    /// Its database; one of these is there. A change of them may be drift.
    pub databases: &'static [&'static str],
    /// The family of distributions that it belongs to, for hosts with several managers.
    pub family: &'static str,
}

/// What is to be done in one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What was asked for. Versions are exact where the manager takes no others.
    pub changes: &'a [PackageChange],
    /// What is to go beside that, because it came along with what goes.
    pub extra: &'a BTreeSet<String>,
    /// What is installed.
    pub database: &'a PackageDatabase,
    /// How long each program may take.
    pub timeout: Duration,
}

/// A part of a transaction that the manager makes at once. Most have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Says what would be done.
    pub simulate: Program,
    /// Does it.
    pub commit: Program,
}

/// One package manager.
pub trait PackageManager: Sync {
    /// The name that people know it by.
    fn name(&self) -> &'static str;

    /// How it shows itself.
    fn signs(&self) -> Signs;

    /// Checks what its names are made of.
    ///
    /// # Errors
    /// When it could not take the name for one package.
    fn check_name(&self, _name: &PackageName) -> Result<(), BadPackageName> {
        Ok(())
    }

    /// What it cannot do of the options, or of holding, as the rest of a sentence that begins with its name.
    fn lacks(&self, options: &PackageOptions) -> Option<&'static str>;

    /// Why it cannot hold packages on this host, if it cannot.
    ///
    /// # Errors
    /// When the host cannot be read.
    fn lacks_hold(&self, _reader: &mut dyn Reader) -> Result<Option<&'static str>, HostError> {
        Ok(None)
    }

    /// Whether a hold names the version, so that it is to be said again when the version changes.
    fn holds_one_version(&self) -> bool {
        false
    }

    /// Whether a hold stands against changes that have leave too, so that it is lifted before and said again after.
    fn holds_bar_changes(&self) -> bool {
        false
    }

    /// The order of two versions as they stand in its database.
    fn compare_versions(&self, a: &str, b: &str) -> Ordering;

    /// The order of a version that a person wrote and one of the database: parts that are left away count as equal,
    /// where the manager takes them so.
    fn compare_wanted(&self, wanted: &str, installed: &str) -> Ordering {
        self.compare_versions(wanted, installed)
    }

    /// Reads what is installed. `names` are those that matter: of others it need not say what they provide.
    ///
    /// # Errors
    /// When the database cannot be read.
    fn load_database(
        &self,
        host: &dyn HostRead,
        reader: &mut dyn Reader,
        names: &[String],
    ) -> Result<PackageDatabase, PackageError>;

    /// The installed packages that a newer version is to be had of.
    ///
    /// # Errors
    /// When the manager cannot be asked.
    fn load_upgradable(&self, host: &dyn HostRead) -> Result<BTreeSet<String>, PackageError>;

    /// Whether a demand is one that its programs take as it stands; else the best version is chosen before.
    fn takes(&self, demand: &VersionDemand) -> bool {
        demand.exact().is_some()
    }

    /// Asks which versions of a package are to be had.
    fn versions_program(&self, name: &PackageName, timeout: Duration) -> Program;

    /// Reads what that wrote.
    fn load_versions(&self, name: &PackageName, output: &str) -> Vec<String>;

    /// The steps of a transaction.
    fn plan_steps(&self, request: &Request<'_>) -> Vec<Step>;

    /// Reads what the simulation of a step would do; `None` when it failed.
    fn load_simulation(&self, output: &ProgramOutput) -> Option<Simulation>;

    /// Simulates the removal of what a request removes together with all that nothing needs then. What is in `kept`
    /// is asked for.
    fn cleaning_program(&self, request: &Request<'_>, kept: &[String]) -> Program;

    /// Whether a program did what it was to do.
    fn succeeded(&self, output: &ProgramOutput) -> bool {
        output.success()
    }

    /// Judges a program that failed.
    fn judge(&self, output: &ProgramOutput) -> Failure;

    /// What the manager itself refuses without leave.
    fn refusal(&self, _output: &ProgramOutput) -> Option<String> {
        None
    }

    /// Why a program failed, in one line.
    fn reason(&self, output: &ProgramOutput) -> String;

    /// Refreshes the lists of packages.
    fn refresh_program(&self, timeout: Duration) -> Program;

    /// Lets the manager finish an interrupted transaction, where it can.
    fn mend_program(&self, _timeout: Duration) -> Option<Program> {
        None
    }

    /// Holds packages, or lets them go.
    ///
    /// # Errors
    /// When that could not be done.
    fn set_hold(&self, names: &[PackageName], hold: bool, session: &Transaction<'_>) -> Result<(), PackageError>;
}

/// A program in the environment that suits package managers: nobody is asked, and they speak English.
pub fn package_program(argv: impl IntoIterator<Item = String>, timeout: Duration) -> Program {
    let mut program = Program { timeout: Some(timeout), ..Program::new(argv) };
    program.env.insert("LC_ALL".to_owned(), "C.UTF-8".to_owned());
    program
}

/// The standard output as text.
pub(super) fn stdout_of(output: &ProgramOutput) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
