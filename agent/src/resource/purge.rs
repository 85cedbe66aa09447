//! What lies in a directory and is managed by nobody.

use super::kept::{Kept, below};
use super::unpacked::unpacked_paths;
use super::{Change, Hands, ResourceError, State, Value, View};
use crate::host::{FileKind, HostError, HostPath, Notes, Reader, is_candidate};
use crate::plan::Target;
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::glob;
use muster_schema::resource::DirectorySpec;
use std::collections::BTreeSet;

/// The paths below that nobody manages; of the original, what stood there.
pub(super) const FOREIGN: &str = "foreign";
/// What stands in `watched_paths` for any name in a directory.
pub(crate) const ANY_NAME: &str = "*";
/// Nobody means to lose more at once.
const MAX_THINGS: usize = 100;
/// Deeper trees are no configuration.
const MAX_DEPTH: u32 = 32;

/// The paths that are managed, with those that are edited or made on the way.
struct ManagedPaths(BTreeSet<HostPath>);

/// The paths below the directory that nobody manages. `None` where it is not known what is managed.
pub(super) fn list_foreign(
    spec: &DirectorySpec,
    directory: &HostPath,
    view: &View<'_>,
) -> Result<Option<Vec<String>>, ResourceError> {
    let Some(targets) = view.targets() else { return Ok(None) };
    let managed = view.once(|_| Ok::<_, ResourceError>(ManagedPaths(managed_paths(targets, view.host().notes()))))?;
    let mut walk = Walk { spec, directory, managed: &managed.0, found: Vec::new() };
    walk.enter(directory, 1, view.reader().as_mut())?;
    Ok(Some(walk.found))
}

fn managed_paths(targets: &[Target], notes: Option<&Notes>) -> BTreeSet<HostPath> {
    let unpacked = unpacked_paths(targets, notes);
    let all = targets.iter().flat_map(|target| {
        let own = target.resource.paths().into_iter().filter_map(|path| HostPath::new(&path).ok());
        own.chain(target.resource_type().watched_paths(target.address().id()))
    });
    // A folder on the way to what is managed is needed.
    all.chain(unpacked).flat_map(|path| std::iter::successors(Some(path), HostPath::parent)).collect()
}

struct Walk<'a> {
    spec: &'a DirectorySpec,
    directory: &'a HostPath,
    managed: &'a BTreeSet<HostPath>,
    found: Vec<String>,
}

impl Walk<'_> {
    /// Notes what is foreign in a folder. Answers whether all of it is.
    fn enter(&mut self, folder: &HostPath, depth: u32, reader: &mut dyn Reader) -> Result<bool, ResourceError> {
        let mut all = true;
        for name in reader.list(folder)? {
            let path = folder.join(&name).map_err(|error| ResourceError::Failed(error.to_string()))?;
            let relative = path.as_str().strip_prefix(self.directory.as_str()).unwrap_or_default();
            let relative = relative.trim_start_matches('/').to_owned();
            all &= self.judge(&path, &name, &relative, depth, reader)?;
        }
        Ok(all)
    }

    fn judge(
        &mut self,
        path: &HostPath,
        name: &str,
        relative: &str,
        depth: u32,
        reader: &mut dyn Reader,
    ) -> Result<bool, ResourceError> {
        let Some(meta) = reader.meta(path)? else { return Ok(true) };
        let ignored = self.spec.purge_ignore.iter().flatten();
        let ignored = ignored.into_iter().any(|glob| glob::matches(glob, name) || glob::matches(glob, relative));
        if ignored || self.is_ours(path, name) || meta.kind == FileKind::Special || reader.is_mount_point(path)? {
            return Ok(false);
        }
        let managed = self.managed.contains(path);
        if meta.kind == FileKind::Directory {
            let before = self.found.len();
            self.found.push(relative.to_owned());
            let deepest = depth >= self.spec.max_depth.unwrap_or(MAX_DEPTH);
            let empty = !deepest && self.enter(path, depth + 1, reader)?;
            if managed || !empty {
                self.found.remove(before);
            }
            return Ok(empty && !managed);
        }
        if !managed {
            self.found.push(relative.to_owned());
        }
        Ok(!managed)
    }

    /// Candidates of our own writes, and backups that were asked for.
    fn is_ours(&self, path: &HostPath, name: &str) -> bool {
        let backup = path.as_str().strip_suffix('~').and_then(|of| HostPath::new(of).ok());
        is_candidate(name) || backup.is_some_and(|of| self.managed.contains(&of))
    }
}

/// Refuses to remove so much that nobody can have meant it.
pub(super) fn check_amount(wanted: &State, observed: &State) -> Result<(), ResourceError> {
    let purges = wanted.get(FOREIGN).and_then(Value::list).is_some();
    match observed.get(FOREIGN).and_then(Value::list) {
        Some(found) if purges && found.len() > MAX_THINGS => Err(ResourceError::Blocked(format!(
            "{} things in it are managed by nobody, and at most {MAX_THINGS} are removed at once",
            found.len()
        ))),
        _ => Ok(()),
    }
}

/// Keeps what is to be removed, as one content.
pub(super) fn keep_foreign(
    id: &str,
    change: &Change,
    view: &View<'_>,
    vault: &Vault,
) -> Result<Option<BlobRef>, ResourceError> {
    let purges = change.after(FOREIGN).and_then(Value::list).is_some();
    let found = change.before.get(FOREIGN).and_then(Value::list).filter(|found| purges && !found.is_empty());
    let Some(found) = found else { return Ok(None) };
    let mut reader = view.reader();
    let (mut kept, mut total) = (Vec::new(), 0);
    for relative in found {
        kept.extend(Kept::of(id, relative, &mut total, reader.as_mut())?);
    }
    let bytes = serde_json::to_vec(&kept).map_err(|error| ResourceError::Failed(error.to_string()))?;
    Ok(Some(vault.keep_bytes(&bytes)?))
}

/// Removes what the plan names, or puts back what was kept.
pub(super) fn apply_foreign(id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
    match change.after(FOREIGN) {
        Some(Value::Content(kept)) => put_back(id, kept, hands),
        Some(Value::List(_)) => {
            // What is in a folder comes after it in the list.
            let found = change.before.get(FOREIGN).and_then(Value::list).unwrap_or_default();
            for relative in found.iter().rev() {
                let path = below(id, relative)?;
                let meta = hands.host.reader().meta(&path)?;
                match meta.map(|meta| hands.host.remove(&path, meta.kind)) {
                    // Something came into it since: the next look sees that.
                    None | Some(Ok(()) | Err(HostError::NotEmpty(_))) => {}
                    Some(Err(error)) => return Err(error.into()),
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn put_back(id: &str, kept: &BlobRef, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let damaged = || ResourceError::NoContent(kept.sha256.to_string());
    let things: Vec<Kept> = serde_json::from_reader(hands.contents.open(kept)?).map_err(|_| damaged())?;
    things.iter().try_for_each(|thing| thing.put_back(id, hands.host))
}
