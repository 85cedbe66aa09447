//! Modules of the kernel. `loaded` is a yes or no, or `builtin` for what is part of the kernel itself.

use super::listing::Listing;
use super::system_text::{append_line, load_text, system_path, write_own_text};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change, check_sense};
use crate::host::{HostPath, Program, Reader, Scope};
use muster_schema::resource::{Existence, KernelModuleSpec};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

const LOADED: &str = "loaded";
const PERSISTED: &str = "persisted";
const BLACKLISTED: &str = "blacklisted";
const OPTIONS: &str = "options";
const BUILTIN: &str = "builtin";

/// What the kernel has, once per look, with `_` for `-`.
struct KernelModules {
    loaded: BTreeSet<String>,
    builtin: BTreeSet<String>,
}

/// The files of one module.
struct ModuleFiles {
    load: HostPath,
    configuration: HostPath,
}

impl ResourceType for KernelModuleSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::default()
                .with(LOADED, Some(false))
                .with(PERSISTED, Some(false))
                .with(BLACKLISTED, Some(false))
                .with(OPTIONS, Some(""));
        }
        let options = self
            .options
            .as_ref()
            .map(|options| options.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "));
        Wanted::default()
            .with(LOADED, self.loaded)
            .with(PERSISTED, self.persisted.or(self.loaded.filter(|loaded| *loaded)))
            .with(BLACKLISTED, self.blacklisted)
            .with(OPTIONS, options)
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let modules = view.once(|view| load_modules(view.reader().as_mut()))?;
        let name = plain(id);
        let loaded = match (modules.loaded.contains(&name), modules.builtin.contains(&name)) {
            (true, _) => Value::Bool(true),
            (false, true) => BUILTIN.into(),
            (false, false) => Value::Bool(false),
        };
        let files = files_of(&name)?;
        let text = |path: &HostPath| load_text(path, view.reader().as_mut()).map(Option::unwrap_or_default);
        let (load, configuration) = (text(&files.load)?, text(&files.configuration)?);
        let persisted = load.lines().any(|line| plain(line.trim()) == name);
        Ok(State::present([
            (LOADED, loaded),
            (PERSISTED, persisted.into()),
            (BLACKLISTED, configured(&configuration, "blacklist", &name).is_some().into()),
            (OPTIONS, configured(&configuration, "options", &name).unwrap_or_default().into()),
        ]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let builtin = observed.get(LOADED).and_then(Value::text) == Some(BUILTIN);
        let mut wanted = wanted.clone();
        let mut impossible = false;
        // What is built in is there; asking for it to be so, or to be again, is satisfied.
        if let (true, State::Present(asked)) = (builtin, &mut wanted.state) {
            impossible = asked.remove(LOADED) == Some(Value::Bool(false));
        }
        match change::diff_attributes(&wanted, observed, |_, wanted, observed| wanted == observed) {
            None if impossible => Err(ResourceError::Blocked("it is built into the kernel".to_owned())),
            change => Ok(change),
        }
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        if self != &KernelModuleSpec::default() {
            check_sense(self)?;
        }
        let name = plain(id);
        let files = files_of(&name)?;
        if let Some(persisted) = change.after(PERSISTED).and_then(Value::bool) {
            let text = if persisted { format!("{name}\n") } else { String::new() };
            write_own_text(&files.load, &text, hands)?;
        }
        change_configuration(&files.configuration, &name, change, hands)?;
        // Options count while it loads.
        match change.after(LOADED).and_then(Value::bool) {
            Some(true) => hands.run(&Program::new(["modprobe", "--", &name])).map(drop),
            Some(false) => hands.run(&Program::new(["modprobe", "-r", "--", &name])).map(drop),
            None => Ok(()),
        }
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        files_of(&plain(id)).map(|files| vec![files.load, files.configuration]).unwrap_or_default()
    }

    fn listing(&self) -> Listing {
        Listing::By(|view| Ok(load_modules(view.reader().as_mut())?.loaded.into_iter().collect()))
    }
}

fn load_modules(reader: &mut dyn Reader) -> Result<KernelModules, ResourceError> {
    let mut text = |path: &str| load_text(&system_path(path)?, reader).map(Option::unwrap_or_default);
    let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
    let loaded = text("/proc/modules")?.lines().filter_map(first).collect();
    let release = text("/proc/sys/kernel/osrelease")?;
    let list = text(&format!("/lib/modules/{}/modules.builtin", release.trim())).unwrap_or_default();
    let name = |line: &str| {
        let file = line.rsplit('/').next()?;
        Some(plain(file.split(".ko").next()?))
    };
    Ok(KernelModules { loaded, builtin: list.lines().filter_map(name).collect() })
}

fn files_of(name: &str) -> Result<ModuleFiles, ResourceError> {
    Ok(ModuleFiles {
        load: system_path(&format!("/etc/modules-load.d/muster-{name}.conf"))?,
        configuration: system_path(&format!("/etc/modprobe.d/muster-{name}.conf"))?,
    })
}

/// What follows a word and the name of the module, in the form of modprobe.d(5).
fn configured(text: &str, word: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let ours = words.next() == Some(word) && words.next().is_some_and(|found| plain(found) == name);
        ours.then(|| words.collect::<Vec<_>>().join(" "))
    })
}

fn change_configuration(path: &HostPath, name: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let (blacklisted, options) = (change.after(BLACKLISTED), change.after(OPTIONS));
    if blacklisted.is_none() && options.is_none() {
        return Ok(());
    }
    let found = load_text(path, hands.host.reader().as_mut())?.unwrap_or_default();
    let blacklisted =
        blacklisted.and_then(Value::bool).unwrap_or_else(|| configured(&found, "blacklist", name).is_some());
    let options = match options.and_then(Value::text) {
        Some(options) => options.to_owned(),
        None => configured(&found, "options", name).unwrap_or_default(),
    };
    let mut text = String::new();
    if blacklisted {
        append_line(&mut text, &format!("blacklist {name}"));
    }
    if !options.is_empty() {
        append_line(&mut text, &format!("options {name} {options}"));
    }
    write_own_text(path, &text, hands)
}

/// The kernel takes `-` for `_` in names.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}
