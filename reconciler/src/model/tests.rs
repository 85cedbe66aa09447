//! Whole repositories, written as text: `=== path` begins a file.

mod faults;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BlobError, BlobId, BlobSource, FileEntry, Finding, Model, ModelCache, RepositoryFiles, load_model};

/// The files of a repository, in memory.
pub(crate) struct InMemory(BTreeMap<Arc<str>, Vec<u8>>);

impl BlobSource for InMemory {
    fn load_blob(&self, path: &str, _: BlobId, limit: u64) -> Result<Vec<u8>, BlobError> {
        match self.0.get(path) {
            Some(bytes) if bytes.len() as u64 > limit => Err(BlobError::TooLarge { limit }),
            Some(bytes) => Ok(bytes.clone()),
            None => Err(BlobError::Unreadable("there is no such file".to_owned())),
        }
    }
}

/// A repository of these files.
pub(crate) fn files_of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> RepositoryFiles {
    let files: BTreeMap<Arc<str>, Vec<u8>> = files.into_iter().map(|(path, bytes)| (path.into(), bytes)).collect();
    let id = |bytes: &[u8]| {
        let id = git2::Oid::hash_object(git2::ObjectType::Blob, bytes).expect("hashed");
        BlobId(id.as_bytes().try_into().expect("twenty bytes"))
    };
    let entries: Vec<_> = files.iter().map(|(path, bytes)| (path.clone(), FileEntry::File(id(bytes)))).collect();
    RepositoryFiles::new(entries, Arc::new(InMemory(files)))
}

/// A repository written as one text.
pub(crate) fn repository(text: &str) -> RepositoryFiles {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(path) => files.push((path.trim().to_owned(), Vec::new())),
            None => {
                if let Some((_, bytes)) = files.last_mut() {
                    bytes.extend_from_slice(line.as_bytes());
                }
            }
        }
    }
    files_of(files)
}

pub(crate) fn load(text: &str) -> (Model, Vec<Finding>) {
    load_model(&repository(text), &mut ModelCache::default())
}
