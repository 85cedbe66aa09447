//! pacman as a package manager.

use super::{command, database, failure, hold};
use crate::host::{HostRead, Program, ProgramOutput, Reader};
use crate::provider::package::{
    BadPackageName, Failure, PackageDatabase, PackageError, PackageManager, PackageName, PackageOptions, Request,
    Signs, Simulation, Step, Transaction, stdout_of,
};
use crate::provider::rpm;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(60);

/// Arch Linux and what descends from it.
pub struct PacmanManager;

impl PackageManager for PacmanManager {
    fn name(&self) -> &'static str {
        "pacman"
    }

    fn signs(&self) -> Signs {
        Signs { tools: &["/usr/bin/pacman"], databases: &[database::VERSION_FILE], family: "arch" }
    }

    fn check_name(&self, name: &PackageName) -> Result<(), BadPackageName> {
        match name.architecture() {
            Some(_) => Err(BadPackageName::new(name.as_str(), "a name alone, because pacman has one architecture")),
            None => Ok(()),
        }
    }

    fn lacks(&self, options: &PackageOptions) -> Option<&'static str> {
        if options.replace_conffiles {
            return Some(
                "cannot replace configuration files that were changed: it lays the new ones beside them (conffiles: replace)",
            );
        }
        options.release.is_some().then_some("has no releases to choose from (release)")
    }

    /// `alpm_pkg_vercmp` is an older `rpmvercmp`: they differ only in `~` and `^`, which versions of Arch do not have.
    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        rpm::compare_versions(a, b)
    }

    fn compare_wanted(&self, wanted: &str, installed: &str) -> Ordering {
        rpm::compare_wanted(wanted, installed)
    }

    fn load_database(
        &self,
        _: &dyn HostRead,
        reader: &mut dyn Reader,
        names: &[String],
    ) -> Result<PackageDatabase, PackageError> {
        let mut database = database::load_database(reader, names)?;
        let held = hold::load_held(reader)?;
        database.set_held(|name| held.contains(name));
        Ok(database)
    }

    /// `name old -> new`, a package a line. The code is 1 where there is none.
    fn load_upgradable(&self, host: &dyn HostRead) -> Result<BTreeSet<String>, PackageError> {
        let output = host.query(&command::upgradable_program(LOOK))?;
        let text = stdout_of(&output);
        Ok(text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
    }

    fn versions_program(&self, name: &PackageName, timeout: Duration) -> Program {
        command::versions_program(name, timeout)
    }

    fn load_versions(&self, name: &PackageName, output: &str) -> Vec<String> {
        let installs = command::load_simulation(output).installs.into_iter();
        installs.filter(|install| install.name == name.name()).map(|install| install.new).collect()
    }

    fn plan_steps(&self, request: &Request<'_>) -> Vec<Step> {
        command::plan_steps(request)
    }

    fn load_simulation(&self, output: &ProgramOutput) -> Option<Simulation> {
        output.success().then(|| command::load_simulation(&stdout_of(output)))
    }

    fn cleaning_program(&self, request: &Request<'_>, _: &[String]) -> Program {
        command::cleaning_program(request)
    }

    fn judge(&self, output: &ProgramOutput) -> Failure {
        failure::judge_failure(output)
    }

    fn refusal(&self, output: &ProgramOutput) -> Option<String> {
        failure::refusal_of(output)
    }

    fn reason(&self, output: &ProgramOutput) -> String {
        failure::failure_reason(output)
    }

    fn refresh_program(&self, timeout: Duration) -> Program {
        command::refresh_program(timeout)
    }

    fn set_hold(&self, names: &[PackageName], hold: bool, transaction: &Transaction<'_>) -> Result<(), PackageError> {
        hold::set_hold(names, hold, transaction)
    }
}
