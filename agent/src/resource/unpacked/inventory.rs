//! What was unpacked, and what was there before.

use super::others::Others;
use crate::archive::{Item, What};
use crate::host::{FileKind, HostPath, Meta, Reader};
use crate::resource::ResourceError;
use crate::resource::kept::{Kept, below};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A note of the agent's, for each destination.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Inventory {
    /// Which archive, and how.
    pub(super) archive: String,
    /// By the path below the destination; the destination itself is the empty path.
    pub(super) things: BTreeMap<String, Thing>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Thing {
    pub(super) item: Item,
    /// To whom it was given, where that was said.
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    /// Whether we put it there: a folder may have been there before, and a path may be another resource's.
    pub(super) ours: bool,
    /// It is not in the archive any more, and on its way out.
    pub(super) leaves: bool,
    /// What may stand there of runs that were cut off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) earlier: Vec<Item>,
    /// What it took the place of.
    pub(super) before: Option<Kept>,
}

impl Inventory {
    /// Paths that are not as they were unpacked.
    pub(super) fn differences(
        &self,
        dest: &HostPath,
        others: &Others,
        reader: &mut dyn Reader,
    ) -> Result<Vec<String>, ResourceError> {
        let mut folders = Folders::default();
        let mut differs = Vec::new();
        for (name, thing) in &self.things {
            let path = path_in(dest, name)?;
            let real = folders.are_real(dest, name, reader)?;
            let right = real && thing.is_right(&path, others, reader)?;
            if !(right || thing.leaves && others.have(&path)) {
                differs.push(if name.is_empty() { ".".to_owned() } else { name.clone() });
            }
        }
        Ok(differs)
    }
}

/// What became of a file or link of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Missing,
    /// As we put it there.
    Ours,
    /// As it was found.
    Found,
    /// Somebody's work.
    Edited,
}

impl Thing {
    /// What became of it, where it is no folder.
    pub(super) fn standing(
        &self,
        dest: &HostPath,
        path: &HostPath,
        reader: &mut dyn Reader,
    ) -> Result<Standing, ResourceError> {
        let Some(meta) = reader.meta(path)? else { return Ok(Standing::Missing) };
        let found = match meta.kind {
            FileKind::Link => Some(What::Link(reader.link_target(path)?)),
            FileKind::File => reader.digest(path)?.and_then(|(_, content)| content).map(What::File),
            _ => None,
        };
        let is_ours = |item: &Item| found.as_ref() == Some(&item.what);
        if is_ours(&self.item) || self.earlier.iter().any(is_ours) {
            return Ok(Standing::Ours);
        }
        let found = self.before.as_ref().map_or(Ok(false), |before| before.is_there(dest.as_str(), reader))?;
        Ok(if found { Standing::Found } else { Standing::Edited })
    }

    /// Whether it stands there as it is to.
    pub(super) fn is_right(
        &self,
        path: &HostPath,
        others: &Others,
        reader: &mut dyn Reader,
    ) -> Result<bool, ResourceError> {
        if self.leaves {
            return Ok(!self.ours);
        }
        if others.have(path) {
            return Ok(true);
        }
        let Some(meta) = reader.meta(path)? else { return Ok(false) };
        let free = others.change(path) || !self.ours;
        Ok(match &self.item.what {
            What::Directory => meta.kind == FileKind::Directory && (free || self.has_attributes(&meta)),
            What::Link(target) => meta.kind == FileKind::Link && reader.link_target(path)? == *target,
            What::File(_) if free => meta.kind == FileKind::File,
            What::File(content) => {
                let alike = meta.kind == FileKind::File && meta.size == content.size && self.has_attributes(&meta);
                alike && reader.digest(path)?.and_then(|(_, found)| found) == Some(*content)
            }
        })
    }

    fn has_attributes(&self, meta: &Meta) -> bool {
        meta.mode == self.item.mode
            && self.uid.is_none_or(|uid| uid == meta.uid)
            && self.gid.is_none_or(|gid| gid == meta.gid)
    }
}

/// Which folders were seen to be folders, and no links to some.
#[derive(Default)]
pub(super) struct Folders(BTreeSet<String>);

impl Folders {
    /// Whether all on the way from the destination to `name` are folders.
    pub(super) fn are_real(
        &mut self,
        dest: &HostPath,
        name: &str,
        reader: &mut dyn Reader,
    ) -> Result<bool, ResourceError> {
        if name.is_empty() {
            return Ok(true);
        }
        let ends = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at));
        for folder in ends.filter_map(|end| name.get(..end)) {
            if self.0.contains(folder) {
                continue;
            }
            if reader.meta(&path_in(dest, folder)?)?.is_none_or(|meta| meta.kind != FileKind::Directory) {
                return Ok(false);
            }
            self.0.insert(folder.to_owned());
        }
        Ok(true)
    }
}

/// The path of what the inventory calls `name`.
pub(super) fn path_in(dest: &HostPath, name: &str) -> Result<HostPath, ResourceError> {
    if name.is_empty() { Ok(dest.clone()) } else { below(dest.as_str(), name) }
}
