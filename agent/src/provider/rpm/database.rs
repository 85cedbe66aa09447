//! rpm's database, asked by one program for all packages.

use crate::host::{HostRead, Program, ProgramOutput};
use crate::provider::package::{Installed, PackageDatabase, PackageError, package_program, stdout_of};
use std::collections::HashSet;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The files of the database, of all its formats, where distributions have it.
pub(in crate::provider) const DATABASES: &[&str] = &[
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/Packages.db",
    "/usr/lib/sysimage/rpm/Packages",
    "/var/lib/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages.db",
    "/var/lib/rpm/Packages",
];

const TIMEOUT: Duration = Duration::from_secs(120);
/// What a database of many thousand packages has to say, in bytes.
const MAX_OUTPUT: usize = 32 << 20;
const PACKAGES: &str = "%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\n";
const PROVIDES: &str = "[%{=NAME}\\t%{PROVIDENAME}\\n]";

/// Reads what is installed. What is provided is asked only if one of `names` is not there under its own name.
pub(in crate::provider) fn load_database(
    host: &dyn HostRead,
    names: &[String],
) -> Result<PackageDatabase, PackageError> {
    let mut database = PackageDatabase::default();
    for line in stdout_of(&ask(host, PACKAGES)?).lines() {
        let mut fields = line.split('\t');
        let (Some(name), Some(version), Some(architecture)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if name == "gpg-pubkey" {
            continue;
        }
        let version = version.strip_prefix("0:").unwrap_or(version).to_owned();
        let architecture = architecture.to_owned();
        database.add(name.to_owned(), Installed { version, architecture, hold: false });
    }
    database.set_native(architecture_of(std::env::consts::ARCH).to_owned());
    let missing: HashSet<&str> = names.iter().map(String::as_str).filter(|name| database.get(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(database);
    }
    // A package provides its own name too, also one of a foreign architecture, which is not what is meant.
    for line in stdout_of(&ask(host, PROVIDES)?).lines() {
        if let Some((package, name)) =
            line.split_once('\t').filter(|(package, name)| package != name && missing.contains(name))
        {
            database.add_provider(name, package);
        }
    }
    Ok(database)
}

/// What rpm calls the architecture that Rust names so.
fn architecture_of(rust: &str) -> &str {
    match rust {
        "powerpc64" => "ppc64le",
        "arm" => "armv7hl",
        "x86" => "i686",
        other => other,
    }
}

fn ask(host: &dyn HostRead, format: &str) -> Result<ProgramOutput, PackageError> {
    let argv = ["rpm", "--query", "--all", "--queryformat", format].map(str::to_owned);
    let program = Program { max_output: Some(MAX_OUTPUT), ..package_program(argv, TIMEOUT) };
    let output = host.query(&program)?;
    if !output.success() {
        return Err(PackageError::Failed(format!("rpm cannot read its database: {}", output.last_words())));
    }
    if output.stdout.len() >= MAX_OUTPUT {
        return Err(PackageError::Failed("rpm's database is larger than can be read".to_owned()));
    }
    Ok(output)
}
