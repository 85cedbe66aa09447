//! A state repository in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use muster_reconciler::model::{BlobError, BlobId, BlobSource, FileEntry, RepositoryFiles};

/// What stands before the path of each file.
const MARK: &str = "=== ";

struct Blobs(Vec<Vec<u8>>);

impl BlobSource for Blobs {
    fn load_blob(&self, _: &str, id: BlobId, limit: u64) -> Result<Vec<u8>, BlobError> {
        let bytes = self.0.iter().enumerate().find(|(index, _)| blob_id(*index) == id).map(|(_, bytes)| bytes);
        let bytes = bytes.ok_or_else(|| BlobError::Unreadable("it is not there".into()))?;
        if bytes.len() as u64 > limit { Err(BlobError::TooLarge { limit }) } else { Ok(bytes.clone()) }
    }
}

fn blob_id(index: usize) -> BlobId {
    let mut id = [0; 20];
    id[..8].copy_from_slice(&(index as u64).to_le_bytes());
    BlobId(id)
}

/// Files in one text, each under `=== path`; what comes before the first is left out.
pub(crate) fn split_files(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split(MARK).skip(1).filter_map(|part| part.split_once('\n'));
    parts.map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec())).collect()
}

/// The repository of these files; one without muster.yaml gets a sound one. `link PATH` is a link, whose text is its
/// target.
pub(crate) fn repository_of(mut files: BTreeMap<String, Vec<u8>>) -> RepositoryFiles {
    files.entry("muster.yaml".to_owned()).or_insert_with(|| b"schema: 1\nfleet: test\n".to_vec());
    let (mut entries, mut blobs) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let (path, entry) = match path.strip_prefix("link ") {
            Some(path) => {
                (path.to_owned(), FileEntry::Link { target: String::from_utf8_lossy(&content).trim_end().to_owned() })
            }
            None => (path, FileEntry::File(blob_id(blobs.len()))),
        };
        entries.push((Arc::from(path), entry));
        blobs.push(content);
    }
    RepositoryFiles::new(entries, Arc::new(Blobs(blobs)))
}
