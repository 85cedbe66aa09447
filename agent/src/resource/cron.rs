//! Entries of cron: a generated file each.

use super::entry::{self, CONTENT, Candidacy};
use super::generated_file::with_generated;
use super::listing::{Listing, decode_name, list_files};
use super::ownership::{GROUP, MODE, OWNER};
use super::{Change, Hands, ResourceError, ResourceType, State, View, Wanted, change, check_sense};
use crate::host::{FileKind, HostPath, Scope};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{CronSpec, Existence, ResourceSpec};
use std::fmt::Write;

#[cfg(test)]
mod tests;

const FOLDER: &str = "/etc/cron.d";

impl ResourceType for CronSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        Wanted::default()
            .with(CONTENT, Some(BlobRef::of(render_entry(self).as_bytes())))
            .with(OWNER, Some("root"))
            .with(GROUP, Some("root"))
            .with(MODE, Some("0644"))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        entry::observe_entry(path_of(id)?.as_str(), true, None, None, view)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        entry::check_replaceable(observed)?;
        let both = wanted.state != State::Absent && *observed != State::Absent;
        if both && entry::differs_in_type(&wanted.state, observed) {
            return Ok(Some(Change { before: observed.clone(), after: wanted.on_new() }));
        }
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        entry::keep_entry(path_of(id)?.as_str(), change, view, vault)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let text = render_entry(self);
        if change.after(CONTENT) == Some(&BlobRef::of(text.as_bytes()).into()) {
            check_sense(self)?;
        }
        let folder = hands.host.reader().meta(&entry::path_of(FOLDER)?)?;
        if folder.is_none_or(|folder| folder.kind != FileKind::Directory) {
            return Err(ResourceError::Blocked(format!("there is no cron that reads {FOLDER}")));
        }
        let path = path_of(id)?;
        let nothing_more = Candidacy::default();
        with_generated(text.as_bytes(), hands, |hands| entry::apply_entry(path.as_str(), change, nothing_more, hands))
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        path_of(id).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_entries)
    }
}

/// All files that cron reads. One whose name reads as ours stands for the id that it was made from.
fn list_entries(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let is_of = |id: &String, name: &str| CronSpec::paths_of(id).concat() == format!("{FOLDER}/{name}");
    let id = |name: String| {
        let written = decode_name(&name, "_").filter(|id| is_of(id, &name));
        written.or_else(|| Some(name.clone()).filter(|id| is_of(id, &name)))
    };
    Ok(list_files(FOLDER, view)?.into_iter().filter_map(id).collect())
}

fn path_of(id: &str) -> Result<HostPath, ResourceError> {
    entry::path_of(&CronSpec::paths_of(id).concat())
}

/// The entry in the form of crontab(5), with a user as in `/etc/cron.d`.
fn render_entry(spec: &CronSpec) -> String {
    let mut text = "# Managed by muster: changes here are taken back.\n".to_owned();
    for (name, value) in spec.env.iter().flatten() {
        // cron takes one pair of quotes away; what is between them has no meaning for it.
        let quote = if value.contains('"') { '\'' } else { '"' };
        let _ = writeln!(text, "{name}={quote}{value}{quote}");
    }
    let command: Vec<String> = spec.command.iter().flatten().map(|part| quote(part)).collect();
    let fields: Vec<&str> = spec.schedule.iter().flat_map(|schedule| schedule.split_ascii_whitespace()).collect();
    let user = spec.user.as_deref().unwrap_or("root");
    let _ = writeln!(text, "{} {user} {}", fields.join(" "), command.join(" "));
    text
}

/// As sh takes it for what it is. cron makes a line end of `%`, also between quotes, and takes `\%` for it.
fn quote(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@+".contains(&byte);
    if !part.is_empty() && part.bytes().all(plain) {
        return part.to_owned();
    }
    format!("'{}'", part.replace('\'', "'\\''")).replace('%', "\\%")
}
