//! Home directories: made from /etc/skel, and removed only while they are as they were made.

use crate::host::{FileKind, FileWrite, HostError, HostPath, HostWrite, NewAttributes, Reader, is_candidate};
use std::io::Cursor;

#[cfg(test)]
mod tests;

const SKELETON: &str = "/etc/skel";
/// What useradd gives a home on Debian; others may not look in.
const HOME_MODE: u32 = 0o700;
/// More entries than any skeleton has.
const MAX_ENTRIES: usize = 1000;

/// A thing in a home, by its path below it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    kind: FileKind,
}

/// Whether the home at `home` is missing, or holds nothing but what it was made with: copies of /etc/skel.
///
/// # Errors
/// When home or skeleton cannot be read.
pub fn is_as_made(reader: &mut dyn Reader, home: &HostPath) -> Result<bool, HostError> {
    let Some(meta) = reader.meta(home)? else { return Ok(true) };
    if meta.kind != FileKind::Directory {
        return Ok(false);
    }
    let Some(entries) = list_tree(reader, home)? else { return Ok(false) };
    let Some(skeleton) = skeleton_path() else { return Ok(false) };
    // A process that ended while it filled the home leaves candidates.
    let whole = entries.into_iter().filter(|entry| !is_candidate(entry.name.rsplit('/').next().unwrap_or_default()));
    for entry in whole {
        let (Ok(own), Ok(made)) = (join(home, &entry.name), join(&skeleton, &entry.name)) else { return Ok(false) };
        let same = match entry.kind {
            FileKind::Directory => reader.meta(&made)?.is_some_and(|meta| meta.kind == FileKind::Directory),
            FileKind::File => {
                let (own, made) = (reader.digest(&own)?, reader.digest(&made)?);
                own.and_then(|(_, content)| content) == made.and_then(|(_, content)| content)
            }
            FileKind::Link => {
                reader.meta(&made)?.is_some_and(|meta| meta.kind == FileKind::Link)
                    && reader.link_target(&own)? == reader.link_target(&made)?
            }
            FileKind::Special => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes a home from /etc/skel. What is there already stays as it is.
///
/// # Errors
/// When the parent is missing, or the system refuses.
pub fn make_home(host: &dyn HostWrite, home: &HostPath, uid: u32, gid: u32) -> Result<(), HostError> {
    let mut reader = host.reader();
    let new = |mode| NewAttributes { mode: Some(mode), uid: Some(uid), gid: Some(gid) };
    if reader.meta(home)?.is_none() {
        host.make_directory(home, &new(HOME_MODE))?;
    }
    host.remove_candidates(home)?;
    let Some(skeleton) = skeleton_path() else { return Ok(()) };
    if reader.meta(&skeleton)?.is_none() {
        return Ok(());
    }
    for entry in list_tree(reader.as_mut(), &skeleton)?.unwrap_or_default() {
        let (Ok(from), Ok(to)) = (join(&skeleton, &entry.name), join(home, &entry.name)) else { continue };
        let Some(meta) = reader.meta(&from)? else { continue };
        if let Some(there) = reader.meta(&to)? {
            if there.kind == FileKind::Directory {
                host.remove_candidates(&to)?;
            }
            continue;
        }
        match entry.kind {
            FileKind::Directory => host.make_directory(&to, &new(meta.mode))?,
            FileKind::Link => host.make_link(&to, &reader.link_target(&from)?)?,
            FileKind::File => {
                let mut content = Vec::new();
                reader.copy(&from, &mut content)?;
                host.write(FileWrite::new(to, Box::new(Cursor::new(content)), new(meta.mode)))?;
            }
            FileKind::Special => {}
        }
    }
    Ok(())
}

/// Removes a home that is as it was made. Something that appears in it meanwhile stops the removal.
///
/// # Errors
/// When the system refuses, or it is not empty after all.
pub fn remove_home(host: &dyn HostWrite, home: &HostPath) -> Result<(), HostError> {
    let mut reader = host.reader();
    if reader.meta(home)?.is_none() {
        return Ok(());
    }
    // Folders stand before what is in them.
    for entry in list_tree(reader.as_mut(), home)?.unwrap_or_default().iter().rev() {
        if let Ok(path) = join(home, &entry.name) {
            host.remove(&path, entry.kind)?;
        }
    }
    host.remove(home, FileKind::Directory)
}

fn skeleton_path() -> Option<HostPath> {
    HostPath::new(SKELETON).ok()
}

fn join(folder: &HostPath, name: &str) -> Result<HostPath, crate::host::BadPath> {
    HostPath::new(&format!("{}/{name}", folder.as_str().trim_end_matches('/')))
}

/// Everything below `folder`, folders before what is in them; `None` when that is too much to be a fresh home.
fn list_tree(reader: &mut dyn Reader, folder: &HostPath) -> Result<Option<Vec<Entry>>, HostError> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(below) = open.pop() {
        let Ok(path) = (if below.is_empty() { Ok(folder.clone()) } else { join(folder, &below) }) else { continue };
        for name in reader.list(&path)? {
            let name = if below.is_empty() { name } else { format!("{below}/{name}") };
            let Ok(path) = join(folder, &name) else { continue };
            let Some(meta) = reader.meta(&path)? else { continue };
            if meta.kind == FileKind::Directory {
                open.push(name.clone());
            }
            found.push(Entry { name, kind: meta.kind });
            if found.len() > MAX_ENTRIES {
                return Ok(None);
            }
        }
    }
    Ok(Some(found))
}
