//! Parameters of the kernel: `value` is that of the running kernel, `persist` that of our file, or `false`.

use super::listing::{Listing, list_names};
use super::system_text::{append_line, load_text, system_path, write_own_text};
use super::{
    Batch, BatchItem, Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change, check_sense,
};
use crate::host::{FileKind, HostPath, Scope};
use muster_schema::resource::{Existence, Spec, SysctlSpec};
use std::borrow::Cow;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

const VALUE: &str = "value";
const PERSIST: &str = "persist";
/// Read after all files with numbers, `99-sysctl.conf` of Debian among them.
const FILE: &str = "/etc/sysctl.d/zz-muster.conf";
const PARAMETERS: &str = "/proc/sys";

/// Our file, once per look.
struct OwnFile(String);

impl ResourceType for SysctlSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::default().with(PERSIST, Some(false));
        }
        let value = self.value.as_ref().map(|value| plain(&value.to_string()));
        let persist = match self.persist {
            Some(false) => Some(Value::Bool(false)),
            _ => value.clone().map(Value::from),
        };
        Wanted::default().with(VALUE, value.filter(|_| self.runtime != Some(false))).with(PERSIST, persist)
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let own = view.once(|view| {
            let text = load_text(&system_path(FILE)?, view.reader().as_mut())?;
            Ok::<_, ResourceError>(OwnFile(text.unwrap_or_default()))
        })?;
        let persist = persisted(&own.0, id).map_or(Value::Bool(false), Value::from);
        let mut state = State::present([(PERSIST, persist)]);
        if let Some(value) = load_text(&path_of(id)?, view.reader().as_mut())?
            && let State::Present(attributes) = &mut state
        {
            attributes.insert(Cow::Borrowed(VALUE), plain(&value).into());
        }
        Ok(state)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let unknown = wanted.state.get(VALUE).is_some() && observed.get(VALUE).is_none();
        let mut wanted = wanted.clone();
        if let (true, State::Present(asked)) = (unknown, &mut wanted.state) {
            asked.remove(VALUE);
        }
        match change::diff_attributes(&wanted, observed, |_, wanted, observed| wanted == observed) {
            // What can be put right is put right first.
            None if unknown => Err(ResourceError::Blocked("this kernel has no such parameter".to_owned())),
            change => Ok(change),
        }
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        set_value(self, id, change, hands)?;
        change_lines(&[(id, change)], hands)
    }

    fn batch(&self) -> Option<Batch> {
        Some(apply_batch)
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        HostPath::new(FILE).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(|view| {
            let mut keys = Vec::new();
            list_parameters(PARAMETERS, &mut keys, view)?;
            Ok(keys)
        })
    }
}

/// All parameters of the running kernel that can be read.
fn list_parameters(folder: &str, keys: &mut Vec<String>, view: &View<'_>) -> Result<(), ResourceError> {
    for name in list_names(folder, view)? {
        let path = format!("{folder}/{name}");
        let meta = view.reader().meta(&system_path(&path)?)?;
        match meta.map(|meta| (meta.kind, meta.mode & 0o444)) {
            Some((FileKind::Directory, _)) => list_parameters(&path, keys, view)?,
            Some((FileKind::File, readable)) if readable != 0 => {
                let parts = path.strip_prefix(PARAMETERS).unwrap_or_default().trim_start_matches('/');
                keys.push(with_dots(parts));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The kernel first: what it does not take is not to be set at boot either. Then all lines at once.
fn apply_batch(items: &[BatchItem<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let set = |item: &BatchItem<'_>| match &item.resource.spec {
        Spec::Sysctl(spec) => set_value(spec, item.resource.address.id(), item.change, hands),
        _ => Ok(()),
    };
    let mut results: Vec<Result<(), ResourceError>> = items.iter().map(set).collect();
    let set: Vec<(&str, &Change)> = items
        .iter()
        .zip(&results)
        .filter(|(_, result)| result.is_ok())
        .map(|(item, _)| (item.resource.address.id(), item.change))
        .collect();
    if let Err(error) = change_lines(&set, hands) {
        let reason = error.chain();
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            *result = Err(ResourceError::Failed(reason.clone()));
        }
    }
    results
}

fn set_value(spec: &SysctlSpec, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let Some(value) = change.after(VALUE).and_then(Value::text) else { return Ok(()) };
    // One that is to be absent only goes back to what was found.
    if spec.value.is_some() {
        check_sense(spec)?;
    }
    Ok(hands.host.set_parameter(&path_of(id)?, value)?)
}

/// Changes the lines of these keys in our file; the others stay as they are.
fn change_lines(changes: &[(&str, &Change)], hands: &Hands<'_>) -> Result<(), ResourceError> {
    let lines: BTreeMap<String, (&str, &Value)> =
        changes.iter().filter_map(|(id, change)| Some((parts_of(id), (*id, change.after(PERSIST)?)))).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let path = system_path(FILE)?;
    let found = load_text(&path, hands.host.reader().as_mut())?.unwrap_or_default();
    let other = |line: &&str| assignment(line).is_none_or(|(key, _)| !lines.contains_key(&parts_of(key)));
    let mut text: String = found.split_inclusive('\n').filter(other).collect();
    for (parts, (_, value)) in &lines {
        if let Some(value) = value.text() {
            append_line(&mut text, &format!("{} = {value}", written_key(parts)));
        }
    }
    write_own_text(&path, &text, hands)
}

/// The value of a key in our file: the last one counts.
fn persisted(text: &str, id: &str) -> Option<String> {
    let sought = parts_of(id);
    let mut found = text.lines().rev().filter_map(assignment);
    found.find(|(key, _)| parts_of(key) == sought).map(|(_, value)| plain(value))
}

/// Key and value of a line, by sysctl.d(5).
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    Some((key.trim().trim_start_matches('-'), value))
}

/// The path below `/proc/sys`. Whichever of dot and slash comes first stands between the parts; after a dot, a slash
/// stands for a dot in a name (sysctl.d(5)).
fn parts_of(key: &str) -> String {
    match key.find(['.', '/']).and_then(|at| key.get(at..)) {
        Some(rest) if rest.starts_with('.') => with_dots(key),
        _ => key.to_owned(),
    }
}

/// With dots for slashes and slashes for dots.
fn with_dots(key: &str) -> String {
    let other = |c: char| match c {
        '.' => '/',
        '/' => '.',
        c => c,
    };
    key.chars().map(other).collect()
}

/// The key as it stands in our file: with dots, or with slashes where a name has a dot.
fn written_key(parts: &str) -> String {
    if parts.contains('.') { parts.to_owned() } else { parts.replace('/', ".") }
}

fn path_of(id: &str) -> Result<HostPath, ResourceError> {
    system_path(&format!("{PARAMETERS}/{}", parts_of(id)))
}

/// The value with single blanks between its words.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}
