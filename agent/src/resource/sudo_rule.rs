//! Rules of sudo: a generated file each.

use super::entry::{self, CONTENT, Candidacy};
use super::generated_file::{file_name_of, with_generated};
use super::listing::{Listing, decode_name, list_files};
use super::ownership::{GROUP, MODE, OWNER};
use super::{Change, Hands, ResourceError, ResourceType, State, View, Wanted, change, check_sense};
use crate::host::{FileKind, HostPath, Scope};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{Existence, SudoRuleSpec};
use std::fmt::Write;

#[cfg(test)]
mod tests;

const FOLDER: &str = "/etc/sudoers.d";
const CHECK: [&str; 4] = ["visudo", "-c", "-f", "{path}"];

impl ResourceType for SudoRuleSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default()
            .with(CONTENT, Some(BlobRef::of(render_rule(self).as_bytes())))
            .with(OWNER, Some("root"))
            .with(GROUP, Some("root"))
            .with(MODE, Some("0440"))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        entry::observe_entry(path_of(id)?.as_str(), true, None, None, view)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        entry::check_replaceable(observed)?;
        if wanted.state != State::Absent
            && *observed != State::Absent
            && entry::differs_in_type(&wanted.state, observed)
        {
            return Ok(Some(Change { before: observed.clone(), after: wanted.on_new() }));
        }
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        entry::keep_entry(path_of(id)?.as_str(), change, view, vault)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let text = render_rule(self);
        let ours = change.after(CONTENT).is_some_and(|content| *content == BlobRef::of(text.as_bytes()).into());
        if ours {
            check_sense(self)?;
        }
        let folder = HostPath::new(FOLDER).ok();
        let folder = folder.map(|folder| hands.host.reader().meta(&folder)).transpose()?.flatten();
        if folder.is_none_or(|folder| folder.kind != FileKind::Directory) {
            return Err(ResourceError::Blocked(format!("sudo is not installed: there is no folder {FOLDER}")));
        }
        let check = CHECK.map(str::to_owned);
        let candidacy = Candidacy { validate: Some(&check), ..Candidacy::default() };
        let path = path_of(id)?;
        with_generated(text.as_bytes(), hands, |hands| entry::apply_entry(path.as_str(), change, candidacy, hands))
    }

    fn is_risky(&self, _: &str) -> bool {
        true
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        path_of(id).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_rules)
    }
}

/// All files that sudo reads.
fn list_rules(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let id = |name: String| decode_name(&name, "%").filter(|id| file_name_of(id) == name);
    Ok(list_files(FOLDER, view)?.into_iter().filter_map(id).collect())
}

/// The file of a rule. sudo leaves out names that have a dot or end in `~`.
fn path_of(id: &str) -> Result<HostPath, ResourceError> {
    entry::path_of(&format!("{FOLDER}/{}", file_name_of(id)))
}

/// The rule in the form of sudoers(5), in one line.
fn render_rule(rule: &SudoRuleSpec) -> String {
    let all = ["ALL".to_owned()];
    let groups = rule.groups.iter().flatten().map(|group| format!("%{}", escape_name(group)));
    let subjects: Vec<String> = rule.users.iter().flatten().map(|user| escape_name(user)).chain(groups).collect();
    let hosts = names(rule.hosts.as_deref().unwrap_or(&all));
    let run_as = match (&rule.run_as, &rule.run_as_groups) {
        (None, None) => String::new(),
        (users, None) => format!("({}) ", names(users.as_deref().unwrap_or_default())),
        (users, Some(groups)) => format!("({}:{}) ", names(users.as_deref().unwrap_or_default()), names(groups)),
    };
    let mut tags = String::new();
    for tag in rule.tags.iter().flatten() {
        let word = serde_json::to_value(tag).unwrap_or_default();
        let _ = write!(tags, "{}: ", word.as_str().unwrap_or_default());
    }
    let commands: Vec<String> = rule.commands.iter().flatten().map(|command| escape_command(command)).collect();
    let (subjects, commands) = (subjects.join(", "), commands.join(", "));
    format!("# Managed by muster: changes here are taken back.\n{subjects} {hosts} = {run_as}{tags}{commands}\n")
}

fn names(names: &[String]) -> String {
    names.iter().map(|name| escape_name(name)).collect::<Vec<_>>().join(", ")
}

/// Whatever is not plainly part of a name gets a backslash, as sudoers(5) asks for.
fn escape_name(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '$' | '*' | '?');
    name.chars().fold(String::new(), |mut escaped, c| {
        if !plain(c) {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

/// What ends an argument or begins a comment gets a backslash. Wildcards and quotes stay.
fn escape_command(command: &str) -> String {
    command.chars().fold(String::new(), |mut escaped, c| {
        if matches!(c, ',' | ':' | '=' | '#' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}
