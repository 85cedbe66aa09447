//! The programs that change packages by zypper. Their words are XML, so that nothing is read from a table.

use crate::host::Program;
use crate::provider::package::{PackageAction, PackageChange, PackageName, Request, Step, package_program};
use std::time::Duration;

const ZYPPER: [&str; 4] = ["zypper", "--non-interactive", "--no-refresh", "--xmlout"];

/// One transaction: `remove` where everything goes, else `install`, which takes names to remove too.
pub(super) fn plan_step(request: &Request<'_>) -> Step {
    let simulate = program(request, &["--dry-run"], request.changes, request.extra.iter());
    let commit = program(request, &[], request.changes, request.extra.iter());
    Step { simulate, commit: Program { outlives: true, ..commit } }
}

/// Tells what goes with what is removed, when everything goes that nothing needs.
pub(super) fn cleaning_program(request: &Request<'_>) -> Program {
    let removed: Vec<PackageChange> = request.changes.iter().filter(|change| change.removes()).cloned().collect();
    program(request, &["--dry-run", "--clean-deps"], &removed, std::iter::empty())
}

fn program<'n>(
    request: &Request<'_>,
    options: &[&str],
    changes: &[PackageChange],
    extra: impl Iterator<Item = &'n String>,
) -> Program {
    let removes_all = changes.iter().all(PackageChange::removes);
    let mut argv: Vec<String> = ZYPPER.map(str::to_owned).into();
    if removes_all {
        argv.push("remove".to_owned());
    } else {
        argv.extend(["install", "--auto-agree-with-licenses"].map(str::to_owned));
        if changes.iter().any(|change| change.allow_downgrade) {
            argv.push("--oldpackage".to_owned());
        }
        if changes.iter().any(|change| change.options.no_recommends) {
            argv.push("--no-recommends".to_owned());
        }
    }
    argv.extend(options.iter().map(|option| (*option).to_owned()));
    argv.push("--".to_owned());
    let minus = if removes_all { "" } else { "-" };
    argv.extend(changes.iter().map(|change| match &change.action {
        PackageAction::Remove { .. } => format!("{minus}{}", spec_of(&change.name)),
        PackageAction::Install { version: Some(version) } => format!("{}={version}", spec_of(&change.name)),
        PackageAction::Install { version: None } | PackageAction::Upgrade => spec_of(&change.name),
    }));
    argv.extend(extra.map(|name| format!("{minus}{name}")));
    package_program(argv, request.timeout)
}

/// Says which versions of a package are to be had.
pub(super) fn versions_program(name: &PackageName, timeout: Duration) -> Program {
    let words = ["search", "--details", "--match-exact", "--type", "package", "--", name.name()];
    package_program(ZYPPER.into_iter().chain(words).map(str::to_owned), timeout)
}

/// Says which installed packages have a newer version to be had.
pub(super) fn upgradable_program(timeout: Duration) -> Program {
    package_program(ZYPPER.into_iter().chain(["list-updates", "--type", "package"]).map(str::to_owned), timeout)
}

/// Refreshes the lists of packages.
pub(super) fn refresh_program(timeout: Duration) -> Program {
    package_program(["zypper", "--non-interactive", "refresh"].map(str::to_owned), timeout)
}

/// Holds packages, or lets them go.
pub(super) fn hold_program(names: &[PackageName], hold: bool, timeout: Duration) -> Program {
    let verb = if hold { "addlock" } else { "removelock" };
    let argv = ["zypper", "--non-interactive", verb, "--"].map(str::to_owned);
    package_program(argv.into_iter().chain(names.iter().map(|name| name.name().to_owned())), timeout)
}

/// `name.i686`, as zypper takes it.
fn spec_of(name: &PackageName) -> String {
    match name.architecture() {
        Some(architecture) => format!("{}.{architecture}", name.name()),
        None => name.name().to_owned(),
    }
}
