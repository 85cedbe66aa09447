//! The programs that change packages by dnf.

use crate::host::Program;
use crate::provider::package::{PackageAction, PackageChange, PackageName, Request, Step, package_program};
use std::time::Duration;

/// The program. Where there is a yum only, the host says so when it is run: both are one program since RHEL 8.
const DNF: &str = "dnf";

/// What dnf is told to do with its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Remove,
    Install,
    Upgrade,
}

impl Verb {
    fn text(self) -> &'static str {
        match self {
            Verb::Remove => "remove",
            Verb::Install => "install",
            Verb::Upgrade => "upgrade",
        }
    }
}

/// One transaction: a plain command where all changes are of one kind, else a script for dnf's own shell.
pub(super) fn plan_step(request: &Request<'_>) -> Step {
    let mut words: Vec<(Verb, String)> =
        request.changes.iter().map(|change| (verb_of(change, request), word_of(change, request))).collect();
    words.extend(request.extra.iter().map(|name| (Verb::Remove, name.clone())));
    words.sort();
    let held = request.changes.iter().any(|change| change.allow_held);
    let no_recommends = request.changes.iter().any(|change| change.options.no_recommends);
    let program = |answer: &str| {
        let mut argv = base(answer, no_recommends, "clean_requirements_on_remove=False");
        if held {
            argv.push("--disableplugin=versionlock".to_owned());
        }
        match one_verb(&words) {
            Some(verb) => {
                argv.push(verb.text().to_owned());
                argv.extend(words.iter().map(|(_, word)| word.clone()));
                package_program(argv, request.timeout)
            }
            None => {
                argv.push("shell".to_owned());
                let lines = words.iter().map(|(verb, word)| format!("{} {word}\n", verb.text()));
                let script: String = lines.chain(["run\n".to_owned()]).collect();
                Program { stdin: script.into_bytes(), ..package_program(argv, request.timeout) }
            }
        }
    };
    Step { simulate: program("--assumeno"), commit: Program { outlives: true, ..program("--assumeyes") } }
}

/// Tells what goes with what is removed, when everything goes that nothing needs.
pub(super) fn cleaning_program(request: &Request<'_>) -> Program {
    let mut argv = base("--assumeno", false, "clean_requirements_on_remove=True");
    argv.push("remove".to_owned());
    argv.extend(request.changes.iter().filter(|change| change.removes()).map(|change| word_of(change, request)));
    package_program(argv, request.timeout)
}

/// Says which versions of a package are to be had.
pub(super) fn versions_program(name: &PackageName, timeout: Duration) -> Program {
    let argv = [DNF, "--quiet", "repoquery", "--available", "--showduplicates", "--queryformat=%{evr}\n"];
    package_program(argv.map(str::to_owned).into_iter().chain([spec_of(name)]), timeout)
}

/// Says which installed packages have a newer version to be had.
pub(super) fn upgradable_program(timeout: Duration) -> Program {
    let argv = [DNF, "--quiet", "repoquery", "--upgrades", "--queryformat=%{name}\t%{arch}\n"];
    package_program(argv.map(str::to_owned), timeout)
}

/// Refreshes the lists of packages.
pub(super) fn refresh_program(timeout: Duration) -> Program {
    package_program([DNF, "--quiet", "--refresh", "makecache"].map(str::to_owned), timeout)
}

/// Holds packages in the version that they have, or lets them go.
pub(super) fn hold_program(names: &[PackageName], hold: bool, timeout: Duration) -> Program {
    let argv = [DNF, "--quiet", "versionlock", if hold { "add" } else { "delete" }].map(str::to_owned);
    package_program(argv.into_iter().chain(names.iter().map(|name| name.name().to_owned())), timeout)
}

fn base(answer: &str, no_recommends: bool, cleaning: &str) -> Vec<String> {
    let mut argv = vec![DNF.to_owned(), answer.to_owned(), "--color=never".to_owned(), format!("--setopt={cleaning}")];
    if no_recommends {
        argv.push("--setopt=install_weak_deps=False".to_owned());
    }
    argv
}

fn one_verb(words: &[(Verb, String)]) -> Option<Verb> {
    let (first, _) = words.first()?;
    words.iter().all(|(verb, _)| verb == first).then_some(*first)
}

fn verb_of(change: &PackageChange, request: &Request<'_>) -> Verb {
    match &change.action {
        PackageAction::Remove { .. } => Verb::Remove,
        PackageAction::Upgrade if request.database.get(change.name.as_str()).is_some() => Verb::Upgrade,
        PackageAction::Install { .. } | PackageAction::Upgrade => Verb::Install,
    }
}

/// `name-1:1.0-1.i686`, as dnf takes it.
fn word_of(change: &PackageChange, request: &Request<'_>) -> String {
    let name = &change.name;
    let version = match &change.action {
        PackageAction::Install { version: Some(version) } => format!("-{version}"),
        _ => String::new(),
    };
    match name.architecture().or_else(|| request.database.architecture_beside(name.name())) {
        Some(architecture) => format!("{}{version}.{architecture}", name.name()),
        None => format!("{}{version}", name.name()),
    }
}

fn spec_of(name: &PackageName) -> String {
    match name.architecture() {
        Some(architecture) => format!("{}.{architecture}", name.name()),
        None => name.name().to_owned(),
    }
}
