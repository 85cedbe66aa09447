//! A bundle as a folder.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::AttestError;
use crate::attest::{Bundle, INDEX};

/// The largest file of a bundle.
const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The most files of a bundle.
const MAX_FILES: usize = 200_000;

/// Writes a bundle into a new folder; its index comes last.
///
/// # Errors
/// When the folder is there, or a file cannot be written.
pub fn keep_bundle(folder: &Path, bundle: &Bundle) -> Result<(), AttestError> {
    let error = |path: &Path| {
        let path = path.to_owned();
        move |source| AttestError::File { path, source }
    };
    fs::create_dir(folder).map_err(error(folder))?;
    let (last, first): (Vec<_>, Vec<_>) = bundle.files.iter().partition(|(name, _)| *name == INDEX);
    for (name, bytes) in first.into_iter().chain(last) {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(error(&path))?;
    }
    Ok(())
}

/// Reads a bundle. Links and other special files are refused.
///
/// # Errors
/// When a file cannot be read, or there are too many or too large ones.
pub fn load_bundle(folder: &Path) -> Result<Bundle, AttestError> {
    let mut bundle = Bundle::default();
    load(folder, "", &mut bundle)?;
    Ok(bundle)
}

fn load(folder: &Path, prefix: &str, bundle: &mut Bundle) -> Result<(), AttestError> {
    let error = |path: &Path, source| AttestError::File { path: path.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(|source| error(folder, source))? {
        let entry = entry.map_err(|source| error(folder, source))?;
        let path = entry.path();
        let refused = |why: &str| error(&path, std::io::Error::new(ErrorKind::InvalidData, why.to_owned()));
        let name = entry.file_name().into_string().map_err(|_| refused("its name is no text"))?;
        let metadata = fs::symlink_metadata(&path).map_err(|source| error(&path, source))?;
        if metadata.is_dir() && prefix.is_empty() {
            load(&path, &format!("{name}/"), bundle)?;
        } else if metadata.is_file() && metadata.len() <= MAX_FILE_BYTES && bundle.files.len() < MAX_FILES {
            let mut bytes = Vec::new();
            let file = fs::File::open(&path).map_err(|source| error(&path, source))?;
            file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(|source| error(&path, source))?;
            bundle.files.insert(format!("{prefix}{name}"), bytes);
        } else {
            return Err(refused("no plain file, or too large, or too many"));
        }
    }
    Ok(())
}
