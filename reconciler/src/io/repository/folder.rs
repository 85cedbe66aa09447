//! A plain folder; no Git needed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ObjectType, Oid};
use muster_schema::content::MAX_BLOB_BYTES;

use super::{Listing, RepositoryError, is_of_interest};
use crate::model::{BlobError, BlobId, BlobSource, FileEntry, RepositoryFiles};

/// Lists the files of the state repository in `root`. Links are not followed.
///
/// # Errors
/// When a folder or file cannot be read, or there are too many.
pub fn list_folder(root: &Path) -> Result<RepositoryFiles, RepositoryError> {
    let mut listing = Listing::default();
    list(root, "", 0, &mut listing)?;
    Ok(RepositoryFiles::new(listing.entries, Arc::new(Folder { root: root.to_owned() })))
}

fn list(folder: &Path, prefix: &str, depth: usize, listing: &mut Listing) -> Result<(), RepositoryError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| RepositoryError::Unreadable { path, source }
    };
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let entry = entry.map_err(unreadable(folder))?;
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else {
            let shown = format!("{prefix}{}", name.to_string_lossy());
            listing.add(shown.into(), FileEntry::Refused { what: "a name that is not UTF-8" })?;
            continue;
        };
        let of_interest = depth > 0 || is_of_interest(name);
        let relative: Arc<str> = format!("{prefix}{name}").into();
        let kind = entry.file_type().map_err(unreadable(&path))?;
        if kind.is_dir() {
            if of_interest {
                listing.enter(&relative, depth)?;
                list(&path, &format!("{relative}/"), depth + 1, listing)?;
            } else if name != ".git" {
                listing.add(relative, FileEntry::Unused)?;
            }
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).map_err(unreadable(&path))?;
            let target = target.to_string_lossy().into_owned();
            listing.add(relative, FileEntry::Link { target })?;
        } else if !kind.is_file() {
            listing.add(relative, FileEntry::Refused { what: "a special file" })?;
        } else if of_interest {
            let id = blob_id(&path)?;
            listing.add(relative, FileEntry::File(id))?;
        } else {
            listing.add(relative, FileEntry::Unused)?;
        }
    }
    Ok(())
}

/// The id that Git would give the content. What is too large to be used is not read.
fn blob_id(path: &Path) -> Result<BlobId, RepositoryError> {
    let unreadable = |source| RepositoryError::Unreadable { path: path.to_owned(), source };
    let size = fs::symlink_metadata(path).map_err(unreadable)?.len();
    if size > MAX_BLOB_BYTES {
        return Ok(BlobId([0; 20]));
    }
    let hashed = Oid::hash_file(ObjectType::Blob, path);
    let id = hashed.map_err(|error| unreadable(std::io::Error::other(error)))?;
    Ok(BlobId(id.as_bytes().try_into().unwrap_or([0; 20])))
}

struct Folder {
    root: PathBuf,
}

impl BlobSource for Folder {
    fn load_blob(&self, path: &str, _: BlobId, limit: u64) -> Result<Vec<u8>, BlobError> {
        let mut bytes = Vec::new();
        let read = fs::File::open(self.root.join(path))
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes));
        match read {
            Err(error) => Err(BlobError::Unreadable(error.to_string())),
            Ok(read) if read as u64 > limit => Err(BlobError::TooLarge { limit }),
            Ok(_) => Ok(bytes),
        }
    }
}
