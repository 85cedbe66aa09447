//! Mounting, unmounting, and the line for the next boot.

use super::fstab::{self, Fstab};
use super::table::MountTable;
use super::{FILE, FSTAB, MOUNTED, TABLE};
use crate::host::{FileKind, HostPath, Program};
use crate::provider::systemd::Systemd;
use crate::resource::system_text::{load_text, system_path, write_shared_text};
use crate::resource::{Change, Hands, ResourceError, Value, check_sense};
use muster_schema::resource::MountSpec;

/// systemd is the first process where this is.
const SYSTEMD_MARK: &str = "/run/systemd/system";

/// Makes the change: a line is written after what it says has worked, and goes before or after what it says has gone.
pub(super) fn change_mount(
    spec: &MountSpec,
    id: &str,
    change: &Change,
    hands: &Hands<'_>,
) -> Result<(), ResourceError> {
    let file = system_path(FILE)?;
    let text = load_text(&file, hands.host.reader().as_mut())?;
    let found = Fstab(text.clone().unwrap_or_default());
    let line = change.after(FSTAB);
    let own_line =
        || if spec.what.is_some() { check_sense(spec).map(|()| Some(fstab::line_of(spec))) } else { Ok(None) };
    let asked = match line.and_then(Value::text) {
        Some(line) => Some(line.to_owned()),
        None => found.find(id)?.map_or_else(own_line, |line| Ok(Some(line)))?,
    };
    let entry = asked.as_deref().and_then(fstab::entry_of);
    match (change.after(MOUNTED).and_then(Value::bool), &entry) {
        (Some(true), Some(entry)) => mount(entry, id, hands)?,
        (Some(true), None) => return Err(ResourceError::Blocked("nothing says what was mounted there".to_owned())),
        (Some(false), _) => {
            // The path stands behind "--": whatever it begins with, it is a path.
            hands.run(&Program { timeout: hands.timeout, ..Program::new(["umount", "--", id]) })?;
        }
        (None, Some(entry)) if line.is_some_and(|line| line.text().is_some()) && is_mounted(id, hands)? => {
            remount(entry, id, hands)?;
        }
        _ => {}
    }
    let Some(line) = line else { return Ok(()) };
    write_shared_text(&file, text.as_deref(), &found.with_line(id, line.text()), hands)?;
    if hands.host.reader().meta(&system_path(SYSTEMD_MARK)?)?.is_some() {
        // systemd makes units of the lines; what it thinks of an old one must not count.
        Systemd::connect()?.reload()?;
    }
    Ok(())
}

fn mount(entry: &fstab::Entry, id: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let folder = HostPath::new(id).map_err(|error| ResourceError::Failed(error.to_string()))?;
    match hands.host.reader().meta(&folder)? {
        Some(meta) if meta.kind == FileKind::Directory => {}
        Some(meta) => return Err(ResourceError::Blocked(format!("{id} is a {}, not a folder", meta.kind))),
        None => return Err(ResourceError::Blocked(format!("{id} is not there; manage it as a directory"))),
    }
    let argv = ["mount", "-t", &entry.fs_type, "-o", &entry.options, "--", &entry.what, id];
    hands.run(&Program { timeout: hands.timeout, ..Program::new(argv) }).map(drop)
}

fn remount(entry: &fstab::Entry, id: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let options = format!("remount,{}", entry.options);
    hands.run(&Program { timeout: hands.timeout, ..Program::new(["mount", "-o", &options, "--", id]) }).map(drop)
}

fn is_mounted(id: &str, hands: &Hands<'_>) -> Result<bool, ResourceError> {
    let text = load_text(&system_path(TABLE)?, hands.host.reader().as_mut())?.unwrap_or_default();
    Ok(MountTable::parse(&text).at(id).is_some())
}
