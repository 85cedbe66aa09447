//! Entries of `/etc/hosts`: the lines whose first name is the id.

use super::listing::Listing;
use super::system_text::{append_line, load_text, system_path, write_shared_text};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change, check_sense};
use crate::host::{HostPath, Scope};
use muster_schema::resource::{Existence, HostEntrySpec};

#[cfg(test)]
mod tests;

const ADDRESSES: &str = "addresses";
const ALIASES: &str = "aliases";
const FILE: &str = "/etc/hosts";

/// The file, once per look.
struct HostsFile(String);

/// One line of the file.
struct Line<'a> {
    address: &'a str,
    name: &'a str,
    aliases: Vec<&'a str>,
    /// With its `#`; empty where there is none.
    comment: &'a str,
}

impl ResourceType for HostEntrySpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default()
            .with(ADDRESSES, self.addresses.clone())
            .with(ALIASES, self.aliases.clone())
            .or_on_creation(ALIASES, Vec::new())
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let file = view.once(|view| {
            let text = load_text(&system_path(FILE)?, view.reader().as_mut())?;
            Ok::<_, ResourceError>(HostsFile(text.unwrap_or_default()))
        })?;
        let lines: Vec<Line<'_>> = lines_of(&file.0, id).collect();
        if lines.is_empty() {
            return Ok(State::Absent);
        }
        let addresses: Vec<String> = lines.iter().map(|line| line.address.to_owned()).collect();
        let aliases: Vec<String> =
            lines.iter().flat_map(|line| &line.aliases).map(|alias| (*alias).to_owned()).collect();
        Ok(State::present([(ADDRESSES, addresses.into()), (ALIASES, aliases.into())]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        if !change.removes() && self.addresses.is_some() {
            check_sense(self)?;
        }
        let path = system_path(FILE)?;
        let found = load_text(&path, hands.host.reader().as_mut())?;
        let text = changed_text(found.as_deref().unwrap_or_default(), id, change);
        write_shared_text(&path, found.as_deref(), &text, hands)
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        HostPath::new(FILE).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_names_of_hosts)
    }
}

/// The first names of all lines.
fn list_names_of_hosts(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let text = load_text(&system_path(FILE)?, view.reader().as_mut())?.unwrap_or_default();
    Ok(text.lines().filter_map(parse_line).map(|line| line.name.to_ascii_lowercase()).collect())
}

/// A line by hosts(5); `None` for comments and what is no entry.
fn parse_line(line: &str) -> Option<Line<'_>> {
    let (entry, comment) = line.split_at(line.find('#').unwrap_or(line.len()));
    let mut words = entry.split_whitespace();
    let (address, name) = (words.next()?, words.next()?);
    Some(Line { address, name, aliases: words.collect(), comment: comment.trim_end() })
}

fn lines_of<'a>(text: &'a str, id: &'a str) -> impl Iterator<Item = Line<'a>> {
    text.lines().filter_map(parse_line).filter(move |line| line.name.eq_ignore_ascii_case(id))
}

/// The file after the change: lines of other names as they are, ours where they were, new ones behind them.
fn changed_text(found: &str, id: &str, change: &Change) -> String {
    let list = |name: &str| change.after(name).and_then(Value::list).map(<[String]>::to_vec);
    let mut missing: Vec<String> = match (change.removes(), list(ADDRESSES)) {
        (true, _) => Vec::new(),
        (false, Some(addresses)) => addresses,
        (false, None) => lines_of(found, id).map(|line| line.address.to_owned()).collect(),
    };
    let aliases = list(ALIASES);
    let known: Vec<String> = lines_of(found, id).flat_map(|line| line.aliases).map(str::to_owned).collect();
    let aliases_of_new = aliases.clone().unwrap_or(known);
    let mut text = String::with_capacity(found.len());
    for raw in found.split_inclusive('\n') {
        let Some(line) = parse_line(raw).filter(|line| line.name.eq_ignore_ascii_case(id)) else {
            text.push_str(raw);
            continue;
        };
        let Some(at) = missing.iter().position(|address| address == line.address) else { continue };
        missing.remove(at);
        match &aliases {
            None => text.push_str(raw),
            Some(aliases) => append_line(&mut text, &written(line.address, id, aliases, line.comment)),
        }
    }
    for address in missing {
        append_line(&mut text, &written(&address, id, &aliases_of_new, ""));
    }
    text
}

fn written(address: &str, name: &str, aliases: &[String], comment: &str) -> String {
    let mut line = format!("{address}\t{name}");
    for word in aliases.iter().map(String::as_str).chain([comment]).filter(|word| !word.is_empty()) {
        line.push(' ');
        line.push_str(word);
    }
    line
}
