//! dnf as a package manager.

use super::{command, failure, locks, simulation};
use crate::host::{HostError, HostRead, Program, ProgramOutput, Reader};
use crate::provider::package::{
    Failure, PackageDatabase, PackageError, PackageManager, PackageName, PackageOptions, Request, Signs, Simulation,
    Step, Transaction, stdout_of,
};
use crate::provider::rpm;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(180);

/// Fedora, RHEL and what descends from them.
pub struct DnfManager;

impl PackageManager for DnfManager {
    fn name(&self) -> &'static str {
        "dnf"
    }

    fn signs(&self) -> Signs {
        Signs { tools: &["/usr/bin/dnf"], databases: rpm::DATABASES, family: "rhel" }
    }

    fn lacks(&self, options: &PackageOptions) -> Option<&'static str> {
        rpm::lacks(options)
    }

    fn lacks_hold(&self, reader: &mut dyn Reader) -> Result<Option<&'static str>, HostError> {
        let lack = "holds packages by its plug-in versionlock only, and that is not installed here";
        Ok((!locks::can_hold(reader)?).then_some(lack))
    }

    fn holds_one_version(&self) -> bool {
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
        let names = |line: &str| {
            let (name, architecture) = line.split_once('\t')?;
            Some([name.to_owned(), format!("{name}:{architecture}")])
        };
        Ok(stdout_of(&output).lines().filter_map(names).flatten().collect())
    }

    fn versions_program(&self, name: &PackageName, timeout: Duration) -> Program {
        command::versions_program(name, timeout)
    }

    fn load_versions(&self, _: &PackageName, output: &str) -> Vec<String> {
        output.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    fn plan_steps(&self, request: &Request<'_>) -> Vec<Step> {
        vec![command::plan_step(request)]
    }

    fn load_simulation(&self, output: &ProgramOutput) -> Option<Simulation> {
        failure::simulated(output).then(|| simulation::load_simulation(&stdout_of(output)))
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
        // A lock on another version would stay beside the new one.
        let held = locks::load_held(transaction.host().reader().as_mut())?;
        let old: Vec<PackageName> = names.iter().filter(|name| held.contains(name.name())).cloned().collect();
        if !old.is_empty() {
            transaction.run(&command::hold_program(&old, false, transaction.timeout()))?;
        }
        if hold {
            transaction.run(&command::hold_program(names, true, transaction.timeout()))?;
        }
        Ok(())
    }
}
