//! apk as a package manager.

use super::{command, database, version};
use crate::host::{HostRead, Program, ProgramOutput, Reader};
use crate::provider::package::{
    BadPackageName, Failure, PackageDatabase, PackageError, PackageManager, PackageName, PackageOptions, Request,
    Signs, Simulation, Step, Transaction, find_sign, reason_by, stdout_of,
};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(60);
const SIGNS: [(&str, Failure); 3] = [
    ("Unable to lock database", Failure::Locked),
    ("unable to select packages", Failure::Outdated),
    ("no such package", Failure::Outdated),
];

/// Alpine Linux and what descends from it.
pub struct ApkManager;

impl PackageManager for ApkManager {
    fn name(&self) -> &'static str {
        "apk"
    }

    fn signs(&self) -> Signs {
        Signs { tools: &["/sbin/apk", "/usr/bin/apk"], databases: database::DATABASES, family: "alpine" }
    }

    fn check_name(&self, name: &PackageName) -> Result<(), BadPackageName> {
        match name.architecture() {
            Some(_) => Err(BadPackageName::new(name.as_str(), "a name alone, because apk has one architecture")),
            None => Ok(()),
        }
    }

    fn lacks(&self, options: &PackageOptions) -> Option<&'static str> {
        if options.replace_conffiles {
            return Some("cannot replace configuration files that were changed (conffiles: replace)");
        }
        options.release.is_some().then_some("has no releases to choose from (release)")
    }

    fn holds_one_version(&self) -> bool {
        true
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
        database::load_database(reader)
    }

    /// `name-version < newer`, a package a line.
    fn load_upgradable(&self, host: &dyn HostRead) -> Result<BTreeSet<String>, PackageError> {
        let output = host.query(&command::plain_program(&["version", "-l", "<"], LOOK))?;
        if !output.success() {
            return Err(PackageError::Failed(self.reason(&output)));
        }
        let name = |line: &str| {
            let (rest, _release) = line.split_whitespace().next()?.rsplit_once("-r")?;
            Some(rest.rsplit_once('-')?.0.to_owned())
        };
        Ok(stdout_of(&output).lines().filter_map(name).collect())
    }

    fn versions_program(&self, name: &PackageName, timeout: Duration) -> Program {
        command::plain_program(&["policy", name.name()], timeout)
    }

    fn load_versions(&self, _: &PackageName, output: &str) -> Vec<String> {
        command::load_versions(output)
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
        find_sign(&SIGNS, output).unwrap_or(Failure::Other)
    }

    fn reason(&self, output: &ProgramOutput) -> String {
        let tells = |line: &str| line.starts_with("ERROR:") || line.contains("required by:");
        reason_by(tells, &stdout_of(output), &String::from_utf8_lossy(&output.stderr))
    }

    fn refresh_program(&self, timeout: Duration) -> Program {
        command::plain_program(&["update"], timeout)
    }

    fn set_hold(&self, names: &[PackageName], hold: bool, transaction: &Transaction<'_>) -> Result<(), PackageError> {
        let database = database::load_database(transaction.host().reader().as_mut())?;
        let word = |name: &PackageName| match database.get(name.name()).filter(|_| hold) {
            Some(installed) => format!("{name}={}", installed.version),
            None => name.to_string(),
        };
        let words: Vec<String> = names.iter().map(word).collect();
        transaction.run(&command::add_program(&words, transaction.timeout())).map(drop)
    }
}
