//! What apt-get, apt-mark, apt-cache and apt do, as far as the agent uses them.

use super::{ARCHIVE, AUTO, STATUS};
use crate::converge::tests::reversible::{file, put, refuses, says, text, words};
use crate::host::fake::Tree;
use crate::host::{Program, ProgramOutput};
use std::collections::{BTreeMap, BTreeSet};

/// What is installed, by name: the version, and whether it is held.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Installed {
    packages: BTreeMap<String, (String, bool)>,
    auto: BTreeSet<String>,
}

impl Installed {
    pub(super) fn load(tree: &Tree) -> Installed {
        let mut installed =
            Installed { auto: text(tree, AUTO).lines().map(str::to_owned).collect(), ..Default::default() };
        for stanza in text(tree, STATUS).split("\n\n") {
            let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(name), Some(version)) = (field("Package: "), field("Version: ")) {
                let hold = field("Status: ").is_some_and(|status| status.starts_with("hold"));
                installed.packages.insert(name.to_owned(), (version.to_owned(), hold));
            }
        }
        installed.packages.remove("dpkg");
        installed
    }

    pub(super) fn save(&self, tree: &mut Tree) {
        let stanza = |name: &str, version: &str, hold: bool| {
            let want = if hold { "hold" } else { "install" };
            format!("Package: {name}\nStatus: {want} ok installed\nArchitecture: amd64\nVersion: {version}\n\n")
        };
        let packages = self.packages.iter().map(|(name, (version, hold))| stanza(name, version, *hold));
        put(tree, STATUS, file(stanza("dpkg", "1.21", false) + &packages.collect::<String>()));
        put(tree, AUTO, file(self.auto.iter().map(|name| format!("{name}\n")).collect::<String>()));
    }

    /// With what it needs, which comes along.
    pub(super) fn add(&mut self, name: &str, version: &str, hold: bool) {
        self.packages.insert(name.to_owned(), (version.to_owned(), hold));
        for needed in needs(name) {
            if !self.packages.contains_key(*needed) {
                self.add(needed, newest(needed), false);
                self.auto.insert((*needed).to_owned());
            }
        }
    }

    fn needed_by(&self, name: &str) -> Vec<String> {
        self.packages.keys().filter(|other| needs(other).contains(&name)).cloned().collect()
    }

    /// It goes with all that needs it.
    fn remove(&mut self, name: &str) {
        if self.packages.remove(name).is_some() {
            for other in self.needed_by(name) {
                self.remove(&other);
            }
            self.auto.remove(name);
        }
    }

    fn remove_needless(&mut self) {
        loop {
            let idle = self.auto.iter().find(|name| self.needed_by(name).is_empty()).cloned();
            match idle {
                Some(name) => self.remove(&name),
                None => return,
            }
        }
    }
}

fn entry(name: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    ARCHIVE.iter().find(|(other, ..)| *other == name).map(|(_, versions, needs)| (*versions, *needs))
}

fn needs(name: &str) -> &'static [&'static str] {
    entry(name).map_or(&[], |(_, needs)| needs)
}

fn newest(name: &str) -> &'static str {
    entry(name).and_then(|(versions, _)| versions.last().copied()).unwrap_or_default()
}

pub(super) fn run(tree: &mut Tree, program: &Program) -> ProgramOutput {
    let words = words(program);
    match words.as_slice() {
        ["apt-get", "-q", "update"] => ProgramOutput::default(),
        ["apt-get", rest @ ..] => install(tree, rest),
        ["apt-mark", verb @ ("hold" | "unhold"), "--", names @ ..] => {
            let mut installed = Installed::load(tree);
            for name in names {
                if let Some((_, hold)) = installed.packages.get_mut(*name) {
                    *hold = *verb == "hold";
                }
            }
            installed.save(tree);
            ProgramOutput::default()
        }
        ["apt-cache", "madison", "--", name] => {
            let line = |version: &&str| format!(" {name} | {version} | http://archive stable/main amd64 Packages\n");
            says(entry(name).map_or(&[][..], |(versions, _)| versions).iter().map(line).collect::<String>())
        }
        ["apt", "list", "--upgradable", "-qq"] => {
            let installed = Installed::load(tree);
            let old = installed.packages.iter().filter(|(name, (version, _))| version.as_str() < newest(name));
            let line = |(name, (version, _)): (&String, &(String, bool))| {
                format!("{name}/stable {} amd64 [upgradable from: {version}]\n", newest(name))
            };
            says(old.map(line).collect::<String>())
        }
        other => refuses(&format!("no program {other:?}")),
    }
}

fn fails(message: &str) -> ProgramOutput {
    ProgramOutput { code: 100, ..refuses(&format!("E: {message}\n")) }
}

fn install(tree: &mut Tree, words: &[&str]) -> ProgramOutput {
    let (options, names) = words.split_at(words.iter().position(|word| *word == "install").unwrap());
    let has = |option: &str| options.contains(&option);
    let before = Installed::load(tree);
    let mut after = before.clone();
    let (mut goes, mut comes) = (BTreeSet::new(), Vec::new());
    for word in &names[2..] {
        if let Some(name) = word.strip_suffix('-') {
            after.remove(name);
            goes.insert(name.to_owned());
            continue;
        }
        let (name, version) = word.split_once('=').unwrap_or((*word, newest(word)));
        let Some((versions, _)) = entry(name) else { return fails(&format!("Unable to locate package {name}")) };
        if !versions.contains(&version) {
            return fails(&format!("Version '{version}' for '{name}' was not found"));
        }
        comes.push((name, version));
    }
    for (name, version) in comes {
        let hold = after.packages.get(name).is_some_and(|(_, hold)| *hold);
        after.add(name, version, hold);
        after.auto.remove(name);
    }
    if goes.iter().any(|name| after.packages.contains_key(name)) {
        return fails("Unable to correct problems, you have held broken packages: they have unmet dependencies.");
    }
    if has("--auto-remove") {
        after.remove_needless();
    }
    judge(tree, &before, &after, options)
}

fn judge(tree: &mut Tree, before: &Installed, after: &Installed, options: &[&str]) -> ProgramOutput {
    let has = |option: &str| options.contains(&option);
    let gone: Vec<(&String, &(String, bool))> =
        before.packages.iter().filter(|(name, _)| !after.packages.contains_key(*name)).collect();
    let changed: Vec<_> = after
        .packages
        .iter()
        .map(|(name, new)| (name, new, before.packages.get(name)))
        .filter(|(_, new, old)| old.is_none_or(|old| old.0 != new.0))
        .collect();
    if has("--no-remove") && !gone.is_empty() {
        return fails("Packages need to be removed but remove is disabled.");
    }
    let down = changed.iter().any(|(_, new, old)| old.is_some_and(|old| new.0 < old.0));
    if down && !has("--allow-downgrades") {
        return fails("Packages were downgraded and -y was used without --allow-downgrades.");
    }
    let held = changed.iter().any(|(_, _, old)| old.is_some_and(|old| old.1)) || gone.iter().any(|(_, old)| old.1);
    if held && !has("--allow-change-held-packages") {
        return fails("Held packages were changed and -y was used without --allow-change-held-packages.");
    }
    let mut told = String::new();
    for (name, (version, _)) in &gone {
        told.push_str(&format!("Remv {name} [{version}]\n"));
    }
    for (name, (new, _), old) in &changed {
        let old = old.map(|(old, _)| format!("[{old}] ")).unwrap_or_default();
        told.push_str(&format!("Inst {name} {old}({new} archive [amd64])\n"));
    }
    if !has("--simulate") {
        after.save(tree);
    }
    says(told)
}
