//! The removal of what nobody fetches any more.
//!
//! A file's time of modification says when it was last needed: [`PublishedTree::publish`] renews that of each file that
//! it finds there, and that of the manifest that a head ceases to name. So nothing has to be remembered, and a file that
//! came back from a backup is kept for longer rather than for less.
#![allow(clippy::disallowed_methods, reason = "this is the tree's one writer")]

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use muster_schema::digest::Sha256Digest;
use muster_schema::manifest::{MAX_MANIFEST_BYTES, Manifest};

use super::{PublishedTree, StoreError, load, manifest_path, names};

#[cfg(test)]
mod tests;

/// An agent that has fetched a head may still fetch what it names. Heads last a day at most.
const GRACE: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// So many manifests.
    pub manifests: usize,
    /// So many blobs.
    pub blobs: usize,
}

impl PublishedTree {
    /// Removes manifests that no head names since more than `keep`, and blobs that are named by such manifests alone, or
    /// by manifests that no head names since two days. `waiting` is kept as what heads name. Others may publish meanwhile.
    ///
    /// # Errors
    /// When a file cannot be read or removed. Nothing goes that a head or a waiting manifest names: where one of these
    /// cannot be read, nothing goes at all.
    pub fn prune(
        &self,
        waiting: &HashSet<Sha256Digest>,
        keep: Duration,
        now: SystemTime,
    ) -> Result<Pruned, StoreError> {
        let keep = keep.max(GRACE);
        let mut needed = HashSet::new();
        let mut old = Vec::new();
        for host in self.hosts()? {
            let named = self.load_head(&host)?.map(|head| head.manifest);
            for digest in self.manifests(&host)? {
                let path = self.top.join(manifest_path(&host, digest));
                let age = age(&path, now)?;
                let in_use = named.is_none_or(|named| named == digest) || waiting.contains(&digest);
                if in_use || age < GRACE {
                    let manifest: Option<Manifest> = load(&path, MAX_MANIFEST_BYTES)?;
                    let resources = manifest.into_iter().flat_map(|manifest| manifest.resources);
                    needed.extend(resources.flat_map(|one| one.blobs()).map(|blob| blob.sha256));
                } else if age >= keep {
                    old.push(path);
                }
            }
        }
        let mut pruned = Pruned::default();
        for manifest in old {
            pruned.manifests += usize::from(self.remove_old(&manifest, keep, now)?);
        }
        for name in names(&self.top.join("blobs"))? {
            let digest: Option<Sha256Digest> = name.parse().ok();
            // What a crash left half written goes too.
            if digest.map_or(name.ends_with(".new"), |digest| !needed.contains(&digest)) {
                pruned.blobs += usize::from(self.remove_old(&self.top.join("blobs").join(name), GRACE, now)?);
            }
        }
        Ok(pruned)
    }

    /// Removes a file with the signatures beside it, unless it was needed within `least`: nobody publishes meanwhile, and
    /// what was published since it was found to be old has a new time. Says whether it is gone.
    fn remove_old(&self, path: &Path, least: Duration, now: SystemTime) -> Result<bool, StoreError> {
        let _nobody_publishes = self.writing();
        if age(path, now)? < least {
            return Ok(false);
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
            return Ok(false);
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        if folder != self.top.join("blobs") {
            let prefix = format!("{name}.");
            paths.extend(
                names(folder)?.iter().filter(|other| other.starts_with(&prefix)).map(|other| folder.join(other)),
            );
        }
        paths.push(path.to_owned());
        for path in paths {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => return Err(StoreError::File { path, source }),
                _ => {}
            }
        }
        Ok(true)
    }
}

/// Since when nobody needed it. What is gone is as old as can be.
fn age(path: &Path, now: SystemTime) -> Result<Duration, StoreError> {
    match fs::metadata(path).and_then(|meta| meta.modified()) {
        Ok(modified) => Ok(now.duration_since(modified).unwrap_or_default()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Duration::MAX),
        Err(source) => Err(StoreError::File { path: path.to_owned(), source }),
    }
}
