//! What /proc says of this moment: load, uptime, memory, mounts.

use muster_schema::api::LoadFacts;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// File systems without a device of their own that hold data all the same.
const BACKED: [&str; 9] = ["overlay", "nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "zfs", "ceph"];
/// Those of them where a question may wait for another machine.
const REMOTE: [&str; 7] = ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse"];

/// A line of /proc/self/mountinfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountLine {
    /// Where.
    pub path: String,
    /// What.
    pub what: String,
    /// The type of the file system.
    pub r#type: String,
    /// Whether nothing can be written there.
    pub read_only: bool,
    device: String,
}

impl MountLine {
    /// Whether asking for its size may wait for another machine.
    pub fn is_remote(&self) -> bool {
        REMOTE.iter().any(|remote| self.r#type == *remote || self.r#type.starts_with("fuse."))
    }
}

/// /proc/loadavg.
pub fn load_average(text: &str) -> Option<LoadFacts> {
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    Some(LoadFacts { one: next()?, five: next()?, fifteen: next()? })
}

/// The whole seconds of /proc/uptime.
pub fn uptime_seconds(text: &str) -> Option<u64> {
    text.split(['.', ' ']).next()?.parse().ok()
}

/// A field of /proc/meminfo, in MiB.
pub fn meminfo_mib(meminfo: &str, field: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kib / 1024)
}

/// The types in /proc/filesystems that have no device.
pub fn types_without_device(filesystems: &str) -> BTreeSet<&str> {
    filesystems.lines().filter_map(|line| line.strip_prefix("nodev")).map(str::trim).collect()
}

/// The mounts that hold data, each file system once: where it was mounted first.
pub fn data_mounts(mountinfo: &str, without_device: &BTreeSet<&str>) -> Vec<MountLine> {
    let mut seen = BTreeSet::new();
    let holds_data = |mount: &MountLine| {
        !without_device.contains(mount.r#type.as_str())
            || BACKED.contains(&mount.r#type.as_str())
            || mount.r#type.starts_with("fuse.")
    };
    let mounts = mountinfo.lines().filter_map(mount_line).filter(holds_data);
    mounts.filter(|mount| seen.insert(mount.device.clone())).collect()
}

/// proc(5): id, parent, device, root, path, options, optional fields, a dash, type, source, options.
fn mount_line(line: &str) -> Option<MountLine> {
    let (own, file_system) = line.split_once(" - ")?;
    let own: Vec<&str> = own.split(' ').collect();
    let mut of_system = file_system.split(' ');
    let (kind, what) = (of_system.next()?, of_system.next()?);
    let super_options = of_system.next().unwrap_or_default();
    let read_only = |options: &str| options.split(',').any(|option| option == "ro");
    Some(MountLine {
        path: unescape(own.get(4)?),
        what: unescape(what),
        r#type: kind.to_owned(),
        read_only: read_only(own.get(5)?) || read_only(super_options),
        device: (*own.get(2)?).to_owned(),
    })
}

/// Space, tab, newline and backslash are three octal digits after a backslash.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *first == b'\\') {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
