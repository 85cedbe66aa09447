//! The programs that change packages, with the options that make them quiet and careful.

use std::time::Duration;

use super::change::PackageChange;
use crate::host::Program;

#[cfg(test)]
mod tests;

/// How long apt itself waits for dpkg's lock, in seconds.
const LOCK_SECONDS: u32 = 120;

const ENVIRONMENT: [(&str, &str); 5] = [
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("APT_LISTCHANGES_FRONTEND", "none"),
    // Whether services restart is decided by the manifest.
    ("NEEDRESTART_MODE", "l"),
    ("UCF_FORCE_CONFFOLD", "1"),
    ("LC_ALL", "C.UTF-8"),
];

/// Options of every transaction: configuration files that a person changed stay as they are, nothing is purged,
/// nothing goes that was not named.
const OPTIONS: [&str; 6] = [
    "Dpkg::Use-Pty=0",
    "Dpkg::Options::=--force-confdef",
    "Dpkg::Options::=--force-confold",
    "APT::Get::AutomaticRemove=false",
    "APT::Get::Purge=false",
    "APT::Get::Show-User-Simulation-Note=false",
];

/// What a transaction may do beside what its words say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Freedom {
    pub(super) downgrades: bool,
    pub(super) held: bool,
    pub(super) removals: bool,
}

impl Freedom {
    pub(super) fn of(changes: &[PackageChange]) -> Freedom {
        Freedom {
            downgrades: changes.iter().any(|change| change.allow_downgrade),
            held: changes.iter().any(|change| change.allow_held),
            removals: changes.iter().any(PackageChange::removes),
        }
    }
}

/// A program in the environment that suits apt and dpkg.
pub(super) fn package_program(argv: impl IntoIterator<Item = String>, timeout: Duration) -> Program {
    let env = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Program { env: env.into(), timeout: Some(timeout), ..Program::new(argv) }
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

/// Tells what goes with `words` when everything goes that was brought by others and that nothing needs.
pub(super) fn simulate_cleaning_program(words: &[String], freedom: Freedom, timeout: Duration) -> Program {
    let mut argv = transaction(freedom);
    argv.push("--simulate".to_owned());
    argv.push("--auto-remove".to_owned());
    finish(argv, words, timeout)
}

/// Refreshes the lists of packages.
pub(super) fn update_program(timeout: Duration) -> Program {
    package_program(["apt-get", "-q", "update"].map(str::to_owned), timeout)
}

/// Lets dpkg finish what was interrupted.
pub(super) fn configure_program(timeout: Duration) -> Program {
    let argv = ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"].map(str::to_owned);
    Program { outlives: true, ..package_program(argv, timeout) }
}

/// Holds packages, or lets them go.
pub(super) fn hold_program(names: &[String], hold: bool, timeout: Duration) -> Program {
    let verb = if hold { "hold" } else { "unhold" };
    let argv = ["apt-mark", verb, "--"].map(str::to_owned);
    package_program(argv.into_iter().chain(names.iter().cloned()), timeout)
}

fn transaction(freedom: Freedom) -> Vec<String> {
    let mut argv: Vec<String> = ["apt-get", "-y", "-q"].map(str::to_owned).into();
    argv.extend(OPTIONS.map(|option| format!("-o{option}")));
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
    package_program(argv, timeout)
}
