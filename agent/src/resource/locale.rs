//! The host's language. Each variable is an attribute of its own name, `false` where it is not set.

use super::listing::{self, Listing};
use super::membership::{give_way, settled_members, wanted_members};
use super::system_text::{append_line, load_text, system_path, write_shared_text, write_text};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change, check_sense};
use crate::host::{FileKind, HostPath, HostRead, NewAttributes, Program, Reader, Scope};
use muster_schema::resource::{Existence, LOCALE_VARIABLES, LocaleSpec};
use muster_schema::{Address, Collection};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const GENERATE: &str = "generate";
/// The list was written, and nobody knows what came of it.
const UNFINISHED: &str = "unfinished";
const LANG: &str = "LANG";
const DEBIAN_FILE: &str = "/etc/default/locale";
const FILE: &str = "/etc/locale.conf";
const DEBIAN_MARK: &str = "/etc/debian_version";
const LIST: &str = "/etc/locale.gen";

/// Says that the list is written and the locales may not be made.
#[derive(Serialize, Deserialize)]
struct Unfinished {
    generates: bool,
}

impl ResourceType for LocaleSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let mut wanted = Wanted::default()
            .with(LANG, self.lang.clone())
            .with(GENERATE, wanted_members(self.generate.as_ref(), None));
        if let State::Present(attributes) = &mut wanted.state {
            let variables = self.variables.iter().flatten();
            attributes.extend(variables.map(|(name, value)| (Cow::Owned(name.clone()), value.clone().into())));
        }
        wanted
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let path = file_of(view.reader().as_mut())?;
        let text = load_text(&path, view.reader().as_mut())?.unwrap_or_default();
        let list = load_text(&system_path(LIST)?, view.reader().as_mut())?.unwrap_or_default();
        let mut state = State::present([(GENERATE, enabled(&list).into())]);
        if let (true, State::Present(attributes)) = (is_unfinished(view.host())?, &mut state) {
            attributes.insert(Cow::Borrowed(UNFINISHED), true.into());
        }
        if let State::Present(attributes) = &mut state {
            for name in LOCALE_VARIABLES {
                let value = text.lines().rev().filter_map(assignment).find(|(found, _)| *found == name);
                let value = value.map_or(Value::Bool(false), |(_, value)| value.to_owned().into());
                attributes.insert(Cow::Borrowed(name), value);
            }
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if wanted.state == State::Absent {
            return Err(ResourceError::Blocked("a host has a language: it cannot be absent".to_owned()));
        }
        let finished = observed.get(UNFINISHED).is_none();
        let satisfied = |name: &str, wanted: &Value, found: &Value| match (name, wanted.list(), found.list()) {
            (GENERATE, Some(wanted), Some(found)) => finished && settled_members(wanted, found) == found,
            _ => wanted == found,
        };
        let mut change = change::diff_attributes(wanted, observed, satisfied);
        if let Some(Change { after: State::Present(after), .. }) = &mut change
            && let Some(Value::List(list)) = after.get_mut(GENERATE)
        {
            *list = settled_members(list, observed.get(GENERATE).and_then(Value::list).unwrap_or_default());
        }
        Ok(change)
    }

    fn give_way(&self, name: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        match (name, &self.generate) {
            (GENERATE, Some(generate)) => give_way(generate, None, next, original),
            (GENERATE, None) => None,
            _ => super::keep_or_restore(next, original),
        }
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        check_sense(self)?;
        // A language is to be there before it is chosen.
        if let Some(wanted) = change.after(GENERATE).and_then(Value::list) {
            generate(wanted, hands)?;
        }
        let Some(after) = change.after.attributes() else { return Ok(()) };
        let variables: Vec<(&str, &Value)> =
            after.iter().map(|(name, value)| (name.as_ref(), value)).filter(|(name, _)| *name != GENERATE).collect();
        if variables.is_empty() {
            return Ok(());
        }
        let path = file_of(hands.host.reader().as_mut())?;
        let found = load_text(&path, hands.host.reader().as_mut())?;
        let other = |line: &&str| assignment(line).is_none_or(|(name, _)| !after.contains_key(name));
        let mut text: String = found.as_deref().unwrap_or_default().split_inclusive('\n').filter(other).collect();
        for (name, value) in variables {
            if let Some(value) = value.text() {
                append_line(&mut text, &format!("{name}={value}"));
            }
        }
        write_shared_text(&path, found.as_deref(), &text, hands)
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        [FILE, DEBIAN_FILE, LIST].iter().filter_map(|path| HostPath::new(path).ok()).collect()
    }

    fn listing(&self) -> Listing {
        listing::SYSTEM
    }
}

/// The file of this host: one of the two may be a link to the other.
fn file_of(reader: &mut dyn Reader) -> Result<HostPath, ResourceError> {
    let mut kind =
        |path: &str| -> Result<_, ResourceError> { Ok(reader.meta(&system_path(path)?)?.map(|one| one.kind)) };
    if kind(FILE)? == Some(FileKind::File) {
        return system_path(FILE);
    }
    let debian = kind(DEBIAN_FILE)? == Some(FileKind::File) || kind(DEBIAN_MARK)?.is_some();
    system_path(if debian { DEBIAN_FILE } else { FILE })
}

fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    Some((name.trim(), value.trim().trim_matches(['"', '\''])))
}

/// The lines that are not comments, words apart by one blank.
fn enabled(list: &str) -> Vec<String> {
    let lines = list.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(words).filter(|line| !line.is_empty()).collect()
}

fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Enables exactly these lines, and has locales made. When that fails the list is as it was.
fn generate(wanted: &[String], hands: &Hands<'_>) -> Result<(), ResourceError> {
    let path = system_path(LIST)?;
    let Some(found) = load_text(&path, hands.host.reader().as_mut())? else {
        return Err(ResourceError::Blocked(format!("there is no {LIST}: is the package locales installed?")));
    };
    let mut text = String::with_capacity(found.len());
    let mut there = Vec::new();
    for line in found.lines() {
        let comment = line.trim_start().strip_prefix('#').map(words);
        let plain = words(line);
        match comment {
            Some(plain) if wanted.contains(&plain) && !there.contains(&plain) => {
                append_line(&mut text, &plain);
                there.push(plain);
            }
            None if !plain.is_empty() && !wanted.contains(&plain) => append_line(&mut text, &format!("# {plain}")),
            None if !plain.is_empty() => {
                append_line(&mut text, line);
                there.push(plain);
            }
            _ => append_line(&mut text, line),
        }
    }
    for line in wanted.iter().filter(|line| !there.contains(line)) {
        append_line(&mut text, line);
    }
    note_unfinished(true, hands)?;
    write_text(&path, &text, NewAttributes::default(), hands)?;
    let made = hands
        .run(&Program { timeout: hands.timeout, ..Program::new(["locale-gen"]) })
        .and_then(|_| check_made(wanted, hands));
    if made.is_err() {
        write_text(&path, &found, NewAttributes::default(), hands)?;
    }
    note_unfinished(false, hands)?;
    made
}

/// Whether an agent ended while locales were made.
fn is_unfinished(host: &dyn HostRead) -> Result<bool, ResourceError> {
    let Some(notes) = host.notes() else { return Ok(false) };
    let note = notes.load::<Unfinished>(&own_address()?).map_err(|error| note_failed(&error))?;
    Ok(note.is_some_and(|note| note.generates))
}

fn note_unfinished(generates: bool, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let Some(notes) = hands.host.notes() else { return Ok(()) };
    let address = own_address()?;
    let noted = if generates { notes.save(&address, &Unfinished { generates }) } else { notes.forget(&address) };
    noted.map_err(|error| note_failed(&error))
}

fn own_address() -> Result<Address, ResourceError> {
    Address::new(Collection::Locale, "system").map_err(|error| ResourceError::Failed(error.to_string()))
}

fn note_failed(error: &std::io::Error) -> ResourceError {
    ResourceError::Failed(format!("the note about locales: {error}"))
}

/// `locale-gen` ends well whatever became of it, so the C library is asked what it has.
fn check_made(wanted: &[String], hands: &Hands<'_>) -> Result<(), ResourceError> {
    let output = hands.run(&Program::new(["locale", "-a"]))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let there: Vec<String> = text.lines().map(locale_name).collect();
    let names = wanted.iter().filter_map(|line| line.split(' ').next()).map(locale_name);
    match names.into_iter().find(|name| !there.contains(name)) {
        Some(name) => Err(ResourceError::Failed(format!("locale-gen made no {name}"))),
        None => Ok(()),
    }
}

/// A locale as the C library compares names: `de_DE.UTF-8` is `de_DE.utf8`.
fn locale_name(name: &str) -> String {
    match name.split_once('.') {
        Some((language, charset)) => format!("{language}.{}", charset.to_lowercase().replace('-', "")),
        None => name.to_owned(),
    }
}
