//! Writes the objects of one commit as one pack, and keeps packs few.
#![allow(clippy::disallowed_methods, reason = "counts the files of a folder")]

use std::fs;

use git2::{Odb, Oid, Repository};

use super::StatusBranch;
use crate::io::git::error::GitError;
use crate::io::git::program::unite_packs;
use crate::io::git::repository::open_repository;

/// With more packs than this, reading gets slow.
const MAX_PACKS: usize = 64;

/// Above libgit2's own backends, so that writes stay in memory.
const PRIORITY: i32 = 1000;

/// Keeps new objects in memory until [`PackedWriter::finish`] packs them.
///
/// One pack costs one fsync for the pack and one for its index, where loose
/// objects cost one each; and a pack compresses one file against another.
pub(super) struct PackedWriter<'repo> {
    repo: &'repo Repository,
    _odb: Odb<'repo>,
}

impl<'repo> PackedWriter<'repo> {
    /// From now on `repo`, as opened here, writes into memory.
    pub(super) fn start(repo: &'repo Repository) -> Result<Self, GitError> {
        let odb = repo.odb().map_err(GitError::write("a pack"))?;
        odb.add_new_mempack_backend(PRIORITY).map_err(GitError::write("a pack"))?;
        Ok(Self { repo, _odb: odb })
    }

    /// Packs exactly `objects`, durably. Dumping all of the memory instead
    /// would walk and pack the whole history.
    pub(super) fn finish(self, objects: &[Oid]) -> Result<(), GitError> {
        let pack = || -> Result<(), git2::Error> {
            let mut builder = self.repo.packbuilder()?;
            for object in objects {
                builder.insert_object(*object, None)?;
            }
            // The first call lets libgit2 use every processor.
            builder.set_threads(0);
            builder.write(&self.repo.commondir().join("objects/pack"), 0)
        };
        pack().map_err(GitError::write("a pack"))
    }
}

impl StatusBranch {
    /// Unites small packs when there are many: each commit leaves one. Does
    /// nothing otherwise. To be called now and then; nothing depends on it.
    ///
    /// # Errors
    /// When git fails; what is stored is whole all the same.
    pub async fn unite_packs(&self) -> Result<(), GitError> {
        let folder = open_repository(&self.path)?.commondir().join("objects/pack");
        let packs = fs::read_dir(&folder).map(|entries| {
            entries
                .flatten()
                .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pack"))
                .count()
        });
        match packs {
            Ok(count) if count > MAX_PACKS => unite_packs(&self.path).await,
            Ok(_) => Ok(()),
            Err(source) => Err(GitError::File { path: folder, source }),
        }
    }
}
