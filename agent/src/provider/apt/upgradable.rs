//! Which installed packages have a newer version to be had.

use std::collections::BTreeSet;
use std::time::Duration;

use super::command::apt_program;
use crate::host::{HostError, HostRead};

#[cfg(test)]
mod tests;

/// The names of packages for which apt would choose a newer version than the installed one; foreign ones with their
/// architecture. What apt counts as the newest depends on the host's pins and on how old its lists are.
///
/// # Errors
/// When apt cannot be run.
pub(super) fn load_upgradable(host: &dyn HostRead) -> Result<BTreeSet<String>, HostError> {
    let argv = ["apt", "list", "--upgradable", "-qq"].map(str::to_owned);
    let output = host.query(&apt_program(argv, Duration::from_secs(60)))?;
    Ok(load_names(&String::from_utf8_lossy(&output.stdout)))
}

/// `name/suite,suite version architecture [upgradable from: version]`, a package a line. Of several architectures
/// each has a line of its own: a bare name stands for whichever.
fn load_names(output: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in output.lines() {
        let (Some((name, rest)), true) = (line.split_once('/'), line.contains("[upgradable from:")) else { continue };
        if let Some(architecture) = rest.split(' ').nth(2) {
            names.insert(format!("{name}:{architecture}"));
        }
        names.insert(name.to_owned());
    }
    names
}
