//! What is in a tar archive, as far as it may be unpacked. Pure: it reads what it is given, and writes nothing.
//!
//! The form is that of tar(5): ustar with the extensions of GNU and pax for long names.

mod entries;
mod name;
#[cfg(test)]
mod tests;

pub(crate) use entries::{Entry, read_entries};

use muster_schema::content::{BlobRef, ContentDigest};
use name::check_link;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use tar::EntryType;

/// What of a mode an archive may set. Set-id bits are refused, the sticky bit means nothing in what is ours, and
/// nothing is open for everybody to write: archives that were packed carelessly have it.
const PERMISSIONS: u32 = 0o775;
const SET_ID: u32 = 0o6000;
/// What folders get that the archive does not list.
const FOLDER_MODE: u32 = 0o755;
/// So many bytes of names are kept in memory.
const MAX_NAME_BYTES: usize = 8 << 20;

/// How an archive is unpacked, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How many leading parts of each name are left out.
    pub(crate) strip: usize,
    /// The most entries, with folders that are only named on the way.
    pub(crate) max_entries: usize,
}

/// One thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) mode: u32,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Directory,
    /// With its target.
    Link(String),
    File(BlobRef),
}

/// Why an archive is not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadArchive {
    #[error("the archive cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("the archive has more than {0} entries; `max_entries` allows more")]
    TooMany(usize),
    #[error("the names in the archive have more than {} MiB", MAX_NAME_BYTES >> 20)]
    LongNames,
    #[error("the archive's entry {0:?} {1}")]
    Entry(String, &'static str),
}

impl BadArchive {
    fn entry(name: &str, reason: &'static str) -> BadArchive {
        BadArchive::Entry(name.chars().take(200).collect(), reason)
    }
}

/// Reads all of a plain tar archive, and gives what it holds by its path below the destination. A folder sorts before
/// what is in it.
///
/// # Errors
/// When a single entry is one that must not be unpacked.
pub(crate) fn load_items(from: &mut dyn Read, rules: Rules) -> Result<BTreeMap<String, Item>, BadArchive> {
    let mut items: BTreeMap<String, Item> = BTreeMap::new();
    let mut name_bytes = 0;
    read_entries(from, rules.strip, &mut |mut entry| {
        let item = item_of(&mut entry)?;
        let name = entry.name;
        let refuse = |reason| Err(BadArchive::entry(&name, reason));
        let count = items.len();
        name_bytes += add_folders(&mut items, &name)?;
        match items.get(&name) {
            // A folder was named on the way before, or stands twice as archives that grew have it.
            Some(Item { what: What::Directory, .. }) if item.what == What::Directory => {}
            Some(_) => return refuse("stands there twice"),
            None => name_bytes += name.len(),
        }
        if let What::Link(target) = &item.what {
            name_bytes += target.len();
        }
        items.insert(name, item);
        match items.len() {
            all if all > rules.max_entries && all > count => Err(BadArchive::TooMany(rules.max_entries)),
            _ if name_bytes > MAX_NAME_BYTES => Err(BadArchive::LongNames),
            _ => Ok(()),
        }
    })?;
    Ok(items)
}

fn item_of(entry: &mut Entry<'_>) -> Result<Item, BadArchive> {
    let refuse = |reason| Err(BadArchive::entry(&entry.name, reason));
    if entry.mode & SET_ID != 0 {
        return refuse("has a set-id bit");
    }
    let what = match entry.kind {
        EntryType::Regular | EntryType::Continuous => What::File(digest(&mut *entry.content)?),
        EntryType::Directory | EntryType::Symlink if entry.size > 0 => {
            return refuse("has content, which neither a folder nor a link has");
        }
        EntryType::Directory => What::Directory,
        EntryType::Symlink => {
            let Ok(target) = std::str::from_utf8(&entry.target) else {
                return refuse("leads to a name that is not UTF-8");
            };
            check_link(&entry.name, target).map_err(|reason| BadArchive::entry(&entry.name, reason))?;
            What::Link(target.to_owned())
        }
        EntryType::Link => return refuse("is a hard link; pack it with `--hard-dereference`"),
        EntryType::GNUSparse => return refuse("is a sparse file; pack it without `--sparse`"),
        _ => return refuse("is neither a file, a folder nor a link"),
    };
    // A link has no mode of its own.
    let mode = if entry.kind == EntryType::Symlink { 0o777 } else { entry.mode & PERMISSIONS };
    Ok(Item { mode, what })
}

/// The folders on the way to `name`. Nothing lies behind a file or link. Answers how many bytes of names came.
fn add_folders(items: &mut BTreeMap<String, Item>, name: &str) -> Result<usize, BadArchive> {
    let mut bytes = 0;
    for (at, _) in name.match_indices('/') {
        let folder = name.get(..at).unwrap_or_default();
        match items.get(folder) {
            Some(Item { what: What::Directory, .. }) => {}
            Some(_) => return Err(BadArchive::entry(name, "lies behind a file or link")),
            None => {
                bytes += folder.len();
                items.insert(folder.to_owned(), Item { mode: FOLDER_MODE, what: What::Directory });
            }
        }
    }
    Ok(bytes)
}

fn digest(from: &mut dyn Read) -> std::io::Result<BlobRef> {
    let (mut digest, mut buffer) = (ContentDigest::default(), vec![0; 64 << 10]);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(digest.finish()),
            count => digest.add(buffer.get(..count).unwrap_or_default()),
        }
    }
}
