//! What lies in a directory, and has the owner, group and modes that the directory asks for.

use super::ownership::wanted_owner;
use super::risk::is_risky_path;
use super::some_of::some_of;
use super::unpacked::unpacked_paths;
use super::{Change, Hands, ResourceError, Value, View};
use crate::host::{Accounts, FileKind, HostPath, Meta, NewAttributes, Notes, Reader, Scope, is_candidate};
use crate::plan::Target;
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::DirectorySpec;
use std::collections::{BTreeMap, BTreeSet};

/// The paths below that are not as asked; of the original, how all things below were.
pub(super) const BELOW: &str = "below";
/// Larger trees are data and no configuration.
const MAX_THINGS: usize = 20_000;
const MAX_DEPTH: u32 = 32;
/// A program of one owner must not become one of another that runs as it.
const SET_ID: u32 = 0o6000;
/// Folders of the system, in which things belong to many.
const OF_MANY: [&str; 15] = [
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr",
    "/var",
];

/// Paths below by mode, owner and group, so that a large tree is a short text.
type Found = Vec<((u32, u32, u32), Vec<String>)>;

/// What a directory asks of things below.
struct Asked {
    uid: Option<u32>,
    gid: Option<u32>,
    folder_mode: Option<u32>,
    file_mode: Option<u32>,
    /// An account is not there yet, so that nothing can be right.
    unknown: bool,
}

impl Asked {
    fn of(spec: &DirectorySpec, scope: Scope, accounts: &Accounts) -> Asked {
        let (owner, group) = (wanted_owner(&spec.owner, scope), wanted_owner(&spec.group, scope));
        let uid = owner.as_ref().and_then(|name| accounts.uid(name));
        let gid = group.as_ref().and_then(|name| accounts.gid(name));
        let unknown = (owner.is_some() && uid.is_none()) || (group.is_some() && gid.is_none());
        let bits = |mode: Option<muster_schema::mode::Mode>| mode.map(|mode| mode.bits());
        Asked { uid, gid, folder_mode: bits(spec.mode), file_mode: bits(spec.file_mode), unknown }
    }

    /// What a thing is to get, if it is not right.
    fn new_for(&self, meta: &Meta) -> Option<NewAttributes> {
        let given = self.uid.is_some_and(|uid| uid != meta.uid) || self.gid.is_some_and(|gid| gid != meta.gid);
        let asked = if meta.kind == FileKind::Directory { self.folder_mode } else { self.file_mode };
        let kept = if given && meta.kind == FileKind::File { meta.mode & !SET_ID } else { meta.mode };
        let mode = asked.unwrap_or(kept);
        (self.unknown || given || mode != meta.mode).then_some(NewAttributes {
            mode: Some(mode),
            uid: self.uid,
            gid: self.gid,
        })
    }
}

/// The first paths below that are not as asked. `None` where it is not known what is managed.
pub(super) fn list_differing(
    spec: &DirectorySpec,
    directory: &HostPath,
    view: &View<'_>,
) -> Result<Option<Vec<String>>, ResourceError> {
    let Some(targets) = view.targets() else { return Ok(None) };
    let asked = Asked::of(spec, view.host().scope(), &*view.accounts()?);
    let owned = view.once(|view| Ok::<_, ResourceError>(OwnedPaths::of(targets, view.host().notes())))?;
    let mut differing = Vec::new();
    walk(spec, directory, &owned.0, view.reader().as_mut(), &mut |relative, meta| {
        if asked.new_for(meta).is_some() {
            differing.push(relative.to_owned());
        }
    })?;
    Ok(Some(some_of(differing)))
}

/// Keeps how all of it is.
pub(super) fn keep_below(
    spec: &DirectorySpec,
    directory: &HostPath,
    change: &Change,
    view: &View<'_>,
    vault: &Vault,
) -> Result<Option<BlobRef>, ResourceError> {
    let asks = change.after(BELOW).and_then(Value::list).is_some();
    // Also where all is right: another revision may ask for something else.
    let looked = change.before.get(BELOW).and_then(Value::list).is_some();
    let Some(targets) = view.targets().filter(|_| asks && looked) else { return Ok(None) };
    let owned = view.once(|view| Ok::<_, ResourceError>(OwnedPaths::of(targets, view.host().notes())))?;
    let mut found: BTreeMap<(u32, u32, u32), Vec<String>> = BTreeMap::new();
    walk(spec, directory, &owned.0, view.reader().as_mut(), &mut |relative, meta| {
        found.entry((meta.mode, meta.uid, meta.gid)).or_default().push(relative.to_owned());
    })?;
    let found: Found = found.into_iter().collect();
    let bytes = serde_json::to_vec(&found).map_err(|error| ResourceError::Failed(error.to_string()))?;
    Ok(Some(vault.keep_bytes(&bytes)?))
}

/// Gives all below what is asked, or what they had.
pub(super) fn apply_below(
    spec: &DirectorySpec,
    directory: &HostPath,
    change: &Change,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let mut new = Vec::new();
    match change.after(BELOW) {
        Some(Value::List(_)) => {
            let asked = Asked::of(spec, hands.host.scope(), &hands.accounts()?);
            if asked.unknown {
                return Err(ResourceError::Blocked("there is no such user or group".to_owned()));
            }
            let owned = OwnedPaths::of(&hands.schedule.targets, hands.host.notes());
            walk(spec, directory, &owned.0, hands.host.reader().as_mut(), &mut |relative, meta| {
                new.extend(asked.new_for(meta).map(|attributes| (relative.to_owned(), attributes)));
            })?;
        }
        Some(Value::Content(kept)) => {
            let damaged = |_| ResourceError::NoContent(kept.sha256.to_string());
            let found: Found = serde_json::from_reader(hands.contents.open(kept)?).map_err(damaged)?;
            let owners = hands.host.scope().owners;
            for ((mode, uid, gid), paths) in found {
                let (uid, gid) = (owners.then_some(uid), owners.then_some(gid));
                new.extend(paths.into_iter().map(|path| (path, NewAttributes { mode: Some(mode), uid, gid })));
            }
        }
        _ => return Ok(()),
    }
    Ok(hands.host.set_attributes_below(directory, &new)?)
}

/// Paths that another resource says something about.
struct OwnedPaths(BTreeSet<HostPath>);

impl OwnedPaths {
    fn of(targets: &[Target], notes: Option<&Notes>) -> OwnedPaths {
        let unpacked = unpacked_paths(targets, notes);
        let of_target = |target: &Target| {
            let own = target.resource.paths().into_iter().filter_map(|path| HostPath::new(&path).ok());
            let edits = target.address().collection().edits_file();
            let watched = if edits { Vec::new() } else { target.resource_type().watched_paths(target.address().id()) };
            own.chain(watched).collect::<Vec<_>>()
        };
        OwnedPaths(targets.iter().flat_map(of_target).chain(unpacked).collect())
    }
}

/// Goes through all that recursion reaches. Never through a link or onto what is mounted, and not to files that have
/// another name elsewhere.
fn walk(
    spec: &DirectorySpec,
    directory: &HostPath,
    owned: &BTreeSet<HostPath>,
    reader: &mut dyn Reader,
    take: &mut dyn FnMut(&str, &Meta),
) -> Result<(), ResourceError> {
    if OF_MANY.contains(&directory.as_str()) {
        return Err(ResourceError::Blocked(format!("what is in {directory} belongs to many: no 'recurse' goes there")));
    }
    let protects = !is_risky_path(directory.as_str());
    let (mut count, deepest) = (0, spec.max_depth.unwrap_or(MAX_DEPTH));
    let mut ahead = vec![(String::new(), directory.clone(), 1)];
    while let Some((above, folder, depth)) = ahead.pop() {
        for name in reader.list(&folder)? {
            let path = folder.join(&name).map_err(|error| ResourceError::Failed(error.to_string()))?;
            let Some(meta) = reader.meta(&path)? else { continue };
            let left_alone = is_candidate(&name) || owned.contains(&path) || (protects && is_risky_path(path.as_str()));
            let is_folder = meta.kind == FileKind::Directory;
            if left_alone || !(is_folder || (meta.kind == FileKind::File && meta.names == 1)) {
                continue;
            }
            if reader.is_mount_point(&path)? {
                continue;
            }
            count += 1;
            if count > MAX_THINGS {
                let reason = format!("more than {MAX_THINGS} things are in it; 'max_depth' reaches fewer");
                return Err(ResourceError::Blocked(reason));
            }
            let relative = format!("{above}{name}");
            take(&relative, &meta);
            if is_folder && depth < deepest {
                ahead.push((format!("{relative}/"), path, depth + 1));
            }
        }
    }
    Ok(())
}
