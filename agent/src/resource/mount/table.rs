//! What is mounted, by proc(5), "/proc/pid/mountinfo".

use super::fstab::unescape;
use crate::host::{FileKind, HostPath, Reader};
use crate::resource::ResourceError;
use muster_schema::resource::MountSpec;

/// Where the names of devices by UUID and so on lie.
const BY_NAME: [(&str, &str); 4] = [
    ("UUID=", "/dev/disk/by-uuid"),
    ("LABEL=", "/dev/disk/by-label"),
    ("PARTUUID=", "/dev/disk/by-partuuid"),
    ("PARTLABEL=", "/dev/disk/by-partlabel"),
];

/// All mounts, once per look.
pub(super) struct MountTable(Vec<Mount>);

/// One of them.
pub(super) struct Mount {
    device: String,
    root: String,
    folder: String,
    pub(super) fs_type: String,
    pub(super) source: String,
}

impl MountTable {
    pub(super) fn parse(text: &str) -> MountTable {
        MountTable(text.lines().filter_map(parse_line).collect())
    }

    /// What is on a folder: the last one that was mounted there.
    pub(super) fn at(&self, folder: &str) -> Option<&Mount> {
        self.0.iter().rev().find(|mount| mount.folder == folder)
    }

    /// All folders on which something is.
    pub(super) fn folders(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|mount| mount.folder.clone())
    }

    /// Whether a mount is what a specification asks for.
    pub(super) fn shows(
        &self,
        mount: &Mount,
        spec: &MountSpec,
        reader: &mut dyn Reader,
    ) -> Result<bool, ResourceError> {
        // A resource that says nothing of it means whatever is there.
        let Some(what) = spec.what.as_deref() else { return Ok(true) };
        if spec.is_bind() {
            return Ok(self.place_of(what).is_some_and(|(device, root)| device == mount.device && root == mount.root));
        }
        let asked = spec.fs_type.as_deref().unwrap_or("auto");
        if !asked.split(',').any(|one| one == "auto" || one == mount.fs_type) {
            return Ok(false);
        }
        if what.trim_end_matches('/') == mount.source.trim_end_matches('/') {
            return Ok(true);
        }
        let by_name = BY_NAME.iter().find_map(|(start, folder)| {
            let name = what.strip_prefix(start)?.trim_matches('"');
            Some(format!("{folder}/{name}"))
        });
        let path = by_name.as_deref().unwrap_or(what);
        if !path.starts_with("/dev/") {
            return Ok(false);
        }
        let Ok(path) = HostPath::new(path) else { return Ok(false) };
        if reader.meta(&path)?.is_none_or(|meta| meta.kind != FileKind::Link) {
            return Ok(false);
        }
        let target = reader.link_target(&path)?;
        let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
        Ok(name(&target) == name(&mount.source))
    }

    /// The device that a folder is on, and its place there: what a bind mount of it shows.
    fn place_of(&self, folder: &str) -> Option<(&str, String)> {
        let below = |mount: &&Mount| {
            let rest = folder.strip_prefix(mount.folder.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let longest = self.0.iter().filter(below).map(|mount| mount.folder.len()).max()?;
        let mount = self.0.iter().rev().filter(below).find(|mount| mount.folder.len() == longest)?;
        let rest = folder.strip_prefix(mount.folder.trim_end_matches('/'))?;
        let root = format!("{}{rest}", mount.root.trim_end_matches('/'));
        Some((&mount.device, if root.is_empty() { "/".to_owned() } else { root }))
    }
}

fn parse_line(line: &str) -> Option<Mount> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(2);
    let (device, root, folder) = (head.next()?, head.next()?, head.next()?);
    let mut tail = tail.split(' ');
    let (fs_type, source) = (tail.next()?, tail.next()?);
    Some(Mount {
        device: device.to_owned(),
        root: unescape(root),
        folder: unescape(folder),
        fs_type: fs_type.to_owned(),
        source: unescape(source),
    })
}
