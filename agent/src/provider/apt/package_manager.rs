//! apt and dpkg as a package manager.

use super::command::{self, Freedom, word_of};
use super::failure::{failure_reason, judge_failure, refusal_of};
use super::simulation::load_simulation;
use super::{database, name, upgradable, version};
use crate::host::{HostRead, Program, ProgramOutput, Reader};
use crate::provider::package::{
    BadPackageName, Failure, PackageDatabase, PackageError, PackageManager, PackageName, PackageOptions, Request,
    Signs, Simulation, Step, Transaction, VersionDemand, stdout_of,
};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

/// Debian and its descendants.
pub struct AptManager;

impl PackageManager for AptManager {
    fn name(&self) -> &'static str {
        "apt"
    }

    fn signs(&self) -> Signs {
        Signs { tools: &["/usr/bin/apt-get"], databases: &[database::STATUS_FILE], family: "debian" }
    }

    fn check_name(&self, name: &PackageName) -> Result<(), BadPackageName> {
        name::check_name(name)
    }

    fn lacks(&self, _: &PackageOptions) -> Option<&'static str> {
        None
    }

    fn compare_versions(&self, a: &str, b: &str) -> Ordering {
        version::compare_versions(a, b)
    }

    fn load_database(
        &self,
        _: &dyn HostRead,
        reader: &mut dyn Reader,
        _: &[String],
    ) -> Result<PackageDatabase, PackageError> {
        Ok(database::load_database(reader)?)
    }

    fn load_upgradable(&self, host: &dyn HostRead) -> Result<BTreeSet<String>, PackageError> {
        Ok(upgradable::load_upgradable(host)?)
    }

    fn takes(&self, demand: &VersionDemand) -> bool {
        matches!(demand, VersionDemand::Exact(_) | VersionDemand::Prefix(_))
    }

    fn versions_program(&self, name: &PackageName, timeout: Duration) -> Program {
        command::versions_program(name, timeout)
    }

    /// `name | version | origin`, a version a line.
    fn load_versions(&self, _: &PackageName, output: &str) -> Vec<String> {
        output.lines().filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned())).collect()
    }

    fn plan_steps(&self, request: &Request<'_>) -> Vec<Step> {
        let freedom = Freedom::of(request.changes);
        let mut words: Vec<String> = request.changes.iter().map(word_of).collect();
        words.extend(request.extra.iter().map(|name| format!("{name}-")));
        vec![Step {
            simulate: command::simulate_program(&words, freedom, request.timeout),
            commit: command::install_program(&words, freedom, request.timeout),
        }]
    }

    fn load_simulation(&self, output: &ProgramOutput) -> Option<Simulation> {
        output.success().then(|| load_simulation(&stdout_of(output)))
    }

    fn cleaning_program(&self, request: &Request<'_>, kept: &[String]) -> Program {
        let words: Vec<String> = request.changes.iter().map(word_of).chain(kept.iter().cloned()).collect();
        command::simulate_cleaning_program(&words, Freedom::of(request.changes), request.timeout)
    }

    fn judge(&self, output: &ProgramOutput) -> Failure {
        judge_failure(output)
    }

    fn refusal(&self, output: &ProgramOutput) -> Option<String> {
        refusal_of(output).map(str::to_owned)
    }

    fn reason(&self, output: &ProgramOutput) -> String {
        failure_reason(output)
    }

    fn refresh_program(&self, timeout: Duration) -> Program {
        command::update_program(timeout)
    }

    fn mend_program(&self, timeout: Duration) -> Option<Program> {
        Some(command::configure_program(timeout))
    }

    fn set_hold(&self, names: &[PackageName], hold: bool, transaction: &Transaction<'_>) -> Result<(), PackageError> {
        transaction.run(&command::hold_program(names, hold, transaction.timeout())).map(drop)
    }
}
