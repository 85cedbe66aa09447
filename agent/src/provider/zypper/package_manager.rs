//! zypper as a package manager.

use super::{command, failure, locks, simulation};
use crate::host::{HostRead, Program, ProgramOutput, Reader};
use crate::provider::package::{
    Failure, PackageDatabase, PackageError, PackageManager, PackageName, PackageOptions, Request, Signs, Simulation,
    Step, Transaction, stdout_of,
};
use crate::provider::rpm;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(180);

/// openSUSE and SUSE Linux Enterprise.
pub struct ZypperManager;

impl PackageManager for ZypperManager {
    fn name(&self) -> &'static str {
        "zypper"
    }

    fn signs(&self) -> Signs {
        Signs { tools: &["/usr/bin/zypper"], databases: rpm::DATABASES, family: "suse" }
    }

    fn lacks(&self, options: &PackageOptions) -> Option<&'static str> {
        rpm::lacks(options)
    }

    fn holds_bar_changes(&self) -> bool {
        true
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        rpm::compare_versions(a, b)
    }

    fn compare_wanted(&self, wanted: &str, installed: &str) -> Ordering {
        rpm::compare_wanted(wanted, installed)
    }

    fn load_database(
        &self,
        host: &dyn HostRead,
        reader: &mut dyn Reader,
        names: &[String],
    ) -> Result<PackageDatabase, PackageError> {
        let mut database = rpm::load_database(host, names)?;
        let held = locks::load_held(reader)?;
        database.set_held(|name| held.contains(name));
        Ok(database)
    }

    fn load_upgradable(&self, host: &dyn HostRead) -> Result<BTreeSet<String>, PackageError> {
        let output = host.query(&command::upgradable_program(LOOK))?;
        if !self.succeeded(&output) {
            return Err(PackageError::Failed(self.reason(&output)));
        }
        let updates = simulation::load_packages(&stdout_of(&output), "update");
        Ok(updates.into_iter().map(|(name, _)| name).collect())
    }

    fn versions_program(&self, name: &PackageName, timeout: Duration) -> Program {
        command::versions_program(name, timeout)
    }

    fn load_versions(&self, name: &PackageName, output: &str) -> Vec<String> {
        let found = simulation::load_packages(output, "solvable").into_iter();
        found.filter(|(other, _)| other == name.name()).map(|(_, version)| version).collect()
    }

    fn plan_steps(&self, request: &Request<'_>) -> Vec<Step> {
        vec![command::plan_step(request)]
    }

    fn load_simulation(&self, output: &ProgramOutput) -> Option<Simulation> {
        failure::succeeded(output).then(|| simulation::load_simulation(&stdout_of(output)))
    }

    fn cleaning_program(&self, request: &Request<'_>, _: &[String]) -> Program {
        command::cleaning_program(request)
    }

    fn succeeded(&self, output: &ProgramOutput) -> bool {
        failure::succeeded(output)
    }

    fn judge(&self, output: &ProgramOutput) -> Failure {
        failure::judge_failure(output)
    }

    fn refusal(&self, output: &ProgramOutput) -> Option<String> {
        failure::refusal_of(output).map(str::to_owned)
    }

    fn reason(&self, output: &ProgramOutput) -> String {
        failure::failure_reason(output)
    }

    fn refresh_program(&self, timeout: Duration) -> Program {
        command::refresh_program(timeout)
    }

    fn set_hold(&self, names: &[PackageName], hold: bool, transaction: &Transaction<'_>) -> Result<(), PackageError> {
        transaction.run(&command::hold_program(names, hold, transaction.timeout())).map(drop)
    }
}
