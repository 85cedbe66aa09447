//! The programs that change packages, with the options that make them quiet and careful.

use std::time::Duration;

use crate::host::Program;
use crate::provider::package::{PackageAction, PackageChange, PackageName, package_program};

#[cfg(test)]
mod tests;

/// How long apt itself waits for dpkg's lock, in seconds.
const LOCK_SECONDS: u32 = 120;

const ENVIRONMENT: [(&str, &str); 4] = [
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    // Whether services restart is decided by the manifest.
    ("NEEDRESTART_MODE", "l"),
    ("UCF_FORCE_CONFFOLD", "1"),
];

/// Options of every transaction: nothing is purged, nothing goes that was not named.
const OPTIONS: [&str; 4] = [
    "Dpkg::Use-Pty=0",
    "APT::Get::AutomaticRemove=false",
    "APT::Get::Purge=false",
    "APT::Get::Show-User-Simulation-Note=false",
];

/// What dpkg does about configuration files that a person changed: it keeps them, or takes the package's own.
const KEEP_CONFFILES: [&str; 2] = ["Dpkg::Options::=--force-confdef", "Dpkg::Options::=--force-confold"];
const REPLACE_CONFFILES: [&str; 1] = ["Dpkg::Options::=--force-confnew"];

/// What a transaction may do beside what its words say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Freedom {
    pub(super) downgrades: bool,
    pub(super) held: bool,
    pub(super) removals: bool,
    pub(super) no_recommends: bool,
    pub(super) replace_conffiles: bool,
}

impl Freedom {
    pub(super) fn of(changes: &[PackageChange]) -> Freedom {
        Freedom {
            downgrades: changes.iter().any(|change| change.allow_downgrade),
            held: changes.iter().any(|change| change.allow_held),
            removals: changes.iter().any(PackageChange::removes),
            no_recommends: changes.iter().any(|change| change.options.no_recommends),
            replace_conffiles: changes.iter().any(|change| change.options.replace_conffiles),
        }
    }
}

/// The word that says a change to `apt-get install`.
pub(super) fn word_of(change: &PackageChange) -> String {
    let name = &change.name;
    match (&change.action, &change.options.release) {
        (PackageAction::Install { version: Some(version) }, _) => format!("{name}={version}"),
        (PackageAction::Install { version: None } | PackageAction::Upgrade, Some(release)) => {
            format!("{name}/{release}")
        }
        (PackageAction::Install { version: None } | PackageAction::Upgrade, None) => name.to_string(),
        (PackageAction::Remove { .. }, _) => format!("{name}-"),
    }
}

/// A program in the environment that suits apt and dpkg.
pub(super) fn apt_program(argv: impl IntoIterator<Item = String>, timeout: Duration) -> Program {
    let mut program = package_program(argv, timeout);
    program.env.extend(ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned())));
    program
}

/// `apt-get install` for `words`, which may say `name-`.
pub(super) fn install_program(words: &[String], freedom: Freedom, timeout: Duration) -> Program {
    let mut argv = transaction(freedom);
    argv.push(format!("-oDPkg::Lock::Timeout={LOCK_SECONDS}"));
    if !freedom.removals {
        argv.push("--no-remove".to_owned());
    }
    Program { outlives: true, ..finish(argv, words, timeout) }
}

/// The same, only told.
pub(super) fn simulate_program(words: &[String], freedom: Freedom, timeout: Duration) -> Program {
    let mut argv = transaction(freedom);
    argv.push("--simulate".to_owned());
    finish(argv, words, timeout)
}

/// Tells what goes with `words` when everything goes that was brought by others and that nothing needs. What something
/// only suggests is not needed: nobody had it before.
pub(super) fn simulate_cleaning_program(words: &[String], freedom: Freedom, timeout: Duration) -> Program {
    let mut argv = transaction(freedom);
    argv.push("--simulate".to_owned());
    argv.push("--auto-remove".to_owned());
    argv.push("-oAPT::AutoRemove::SuggestsImportant=false".to_owned());
    finish(argv, words, timeout)
}

/// Refreshes the lists of packages.
pub(super) fn update_program(timeout: Duration) -> Program {
    apt_program(["apt-get", "-q", "update"].map(str::to_owned), timeout)
}

/// Lets dpkg finish what was interrupted.
pub(super) fn configure_program(timeout: Duration) -> Program {
    let argv = ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"].map(str::to_owned);
    Program { outlives: true, ..apt_program(argv, timeout) }
}

/// Says which versions of a package are to be had.
pub(super) fn versions_program(name: &PackageName, timeout: Duration) -> Program {
    let argv = ["apt-cache", "madison", "--", name.as_str()].map(str::to_owned);
    apt_program(argv, timeout)
}

/// Holds packages, or lets them go.
pub(super) fn hold_program(names: &[PackageName], hold: bool, timeout: Duration) -> Program {
    let verb = if hold { "hold" } else { "unhold" };
    let argv = ["apt-mark", verb, "--"].map(str::to_owned);
    apt_program(argv.into_iter().chain(names.iter().map(ToString::to_string)), timeout)
}

fn transaction(freedom: Freedom) -> Vec<String> {
    let mut argv: Vec<String> = ["apt-get", "-y", "-q"].map(str::to_owned).into();
    argv.extend(OPTIONS.map(|option| format!("-o{option}")));
    let conffiles: &[&str] = if freedom.replace_conffiles { &REPLACE_CONFFILES } else { &KEEP_CONFFILES };
    argv.extend(conffiles.iter().map(|option| format!("-o{option}")));
    if freedom.no_recommends {
        argv.push("--no-install-recommends".to_owned());
    }
    if freedom.downgrades {
        argv.push("--allow-downgrades".to_owned());
    }
    if freedom.held {
        argv.push("--allow-change-held-packages".to_owned());
    }
    argv
}

fn finish(mut argv: Vec<String>, words: &[String], timeout: Duration) -> Program {
    argv.extend(["install", "--"].map(str::to_owned));
    argv.extend_from_slice(words);
    apt_program(argv, timeout)
}
