//! Mounted file systems. `fstab` is the line of the folder without it, or `false`; `mounted` is a yes or no, or what
//! else is mounted there.

use super::listing::Listing;
use super::system_text::{load_text, system_path};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use fstab::Fstab;
use muster_schema::resource::{Existence, MountSpec};
use table::MountTable;

mod apply;
mod fstab;
mod table;
#[cfg(test)]
mod tests;

const FSTAB: &str = "fstab";
const MOUNTED: &str = "mounted";
const FILE: &str = "/etc/fstab";
const TABLE: &str = "/proc/self/mountinfo";

impl ResourceType for MountSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::default().with(FSTAB, Some(false)).with(MOUNTED, Some(false));
        }
        let line = if self.in_fstab == Some(false) { Value::Bool(false) } else { fstab::line_of(self).into() };
        Wanted::default().with(FSTAB, Some(line)).with(MOUNTED, Some(self.mounted.unwrap_or(true)))
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let lines = view.once(|view| {
            let text = load_text(&system_path(FILE)?, view.reader().as_mut())?;
            Ok::<_, ResourceError>(Fstab(text.unwrap_or_default()))
        })?;
        let table = view.once(|view| {
            let text = load_text(&system_path(TABLE)?, view.reader().as_mut())?;
            let text = text.ok_or_else(|| ResourceError::Blocked(format!("there is no {TABLE} on this host")))?;
            Ok::<_, ResourceError>(MountTable::parse(&text))
        })?;
        let line = lines.find(id)?.map_or(Value::Bool(false), Value::from);
        let mounted = match table.at(id) {
            None => Value::Bool(false),
            Some(mount) if table.shows(mount, self, view.reader().as_mut())? => Value::Bool(true),
            Some(mount) => format!("{} ({})", mount.source, mount.fs_type).into(),
        };
        Ok(State::present([(FSTAB, line), (MOUNTED, mounted)]))
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        let other = observed.get(MOUNTED).and_then(Value::text);
        let mut wanted = wanted.clone();
        // What somebody else mounted there is not ours to unmount.
        let in_the_way = match (&mut wanted.state, other) {
            (State::Present(asked), Some(_)) => asked.remove(MOUNTED) == Some(Value::Bool(true)),
            _ => false,
        };
        if let (true, Some(other)) = (in_the_way, other) {
            return Err(ResourceError::Blocked(format!("{other} is mounted there")));
        }
        Ok(change::diff_attributes(&wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        apply::change_mount(self, id, change, hands)
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        HostPath::new(FILE).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        Listing::By(list_mounts)
    }
}

/// What is mounted, and what fstab says beside it. Parts of fstab that are no folders, as swap, are left out.
fn list_mounts(view: &View<'_>) -> Result<Vec<String>, ResourceError> {
    let text = |path: &str| load_text(&system_path(path)?, view.reader().as_mut()).map(Option::unwrap_or_default);
    let mut folders = Fstab(text(FILE)?).folders();
    folders.extend(MountTable::parse(&text(TABLE)?).folders());
    Ok(folders)
}
