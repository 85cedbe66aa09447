//! Things that are about to be removed or replaced, kept whole.

use super::ResourceError;
use super::entry::path_of;
use crate::host::{FileKind, FileWrite, HostPath, HostWrite, NewAttributes, Reader};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::content::BlobRef;
use serde::{Deserialize, Serialize};
use std::io::Cursor;

/// Nobody means to lose more at once.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// One thing, complete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    path: String,
    mode: u32,
    uid: u32,
    gid: u32,
    what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Directory,
    Link(String),
    /// In base64.
    File(String),
}

impl Kept {
    /// What stands at `relative` below `root`, if that can be kept. `None` for what is not there, or no such thing.
    ///
    /// # Errors
    /// When it cannot be read, or is more than `total` still leaves room for.
    pub(super) fn of(
        root: &str,
        relative: &str,
        total: &mut usize,
        reader: &mut dyn Reader,
    ) -> Result<Option<Kept>, ResourceError> {
        let path = below(root, relative)?;
        let Some(meta) = reader.meta(&path)? else { return Ok(None) };
        let what = match meta.kind {
            FileKind::Directory => What::Directory,
            FileKind::Link => What::Link(reader.link_target(&path)?),
            FileKind::Special => return Ok(None),
            FileKind::File => {
                *total += usize::try_from(meta.size).unwrap_or(usize::MAX).min(MAX_BYTES + 1);
                if *total > MAX_BYTES {
                    let reason = format!("what would be lost in it has more than {} MiB", MAX_BYTES >> 20);
                    return Err(ResourceError::Blocked(reason));
                }
                let mut bytes = Vec::new();
                reader.copy(&path, &mut bytes)?;
                What::File(STANDARD.encode(bytes))
            }
        };
        Ok(Some(Kept { path: relative.to_owned(), mode: meta.mode, uid: meta.uid, gid: meta.gid, what }))
    }

    /// Whether this link, or a file of this content, stands there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn is_there(&self, root: &str, reader: &mut dyn Reader) -> Result<bool, ResourceError> {
        let path = below(root, &self.path)?;
        let Some(meta) = reader.meta(&path)? else { return Ok(false) };
        Ok(match &self.what {
            What::Directory => meta.kind == FileKind::Directory,
            What::Link(target) => meta.kind == FileKind::Link && reader.link_target(&path)? == *target,
            What::File(content) => {
                let content = STANDARD.decode(content).map_err(|_| ResourceError::NoContent(path.to_string()))?;
                reader.digest(&path)?.and_then(|(_, found)| found) == Some(BlobRef::of(&content))
            }
        })
    }

    /// Puts it back below `root`, unless somebody has put something else there since: that is theirs.
    ///
    /// # Errors
    /// When the host refuses.
    pub(super) fn put_back(&self, root: &str, host: &dyn HostWrite) -> Result<(), ResourceError> {
        let Kept { path, mode, uid, gid, what } = self;
        let path = below(root, path)?;
        if host.reader().meta(&path)?.is_some() {
            return Ok(());
        }
        let owners = host.scope().owners;
        let new = NewAttributes { mode: Some(*mode), uid: owners.then_some(*uid), gid: owners.then_some(*gid) };
        match what {
            What::Directory => host.make_directory(&path, &new)?,
            What::Link(target) => host.make_link(&path, target)?,
            What::File(content) => {
                let damaged = |_| ResourceError::NoContent(path.to_string());
                let content = Box::new(Cursor::new(STANDARD.decode(content).map_err(damaged)?));
                host.write(FileWrite::new(path, content, new))?;
            }
        }
        Ok(())
    }
}

/// The path of `relative` below `root`.
pub(super) fn below(root: &str, relative: &str) -> Result<HostPath, ResourceError> {
    path_of(&format!("{}/{relative}", root.trim_end_matches('/')))
}
