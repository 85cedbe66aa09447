//! The contents below files/ folders, loaded when they are first used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use muster_schema::content::{BlobRef, MAX_BLOB_BYTES};

use super::{BlobId, FileEntry, Finding, Place, RepositoryFiles};
use crate::template::{Template, TemplateFault};

/// A content with its digest.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its name in the published tree.
    pub blob: BlobRef,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// The file of the repository that it is, as it is.
    pub file: Option<BlobId>,
}

impl Content {
    /// The content that these bytes are.
    pub fn of(bytes: impl Into<Arc<[u8]>>) -> Content {
        let bytes = bytes.into();
        Content { blob: BlobRef::of(&bytes), bytes, file: None }
    }
}

/// What was loaded and compiled, by blob id; kept from one revision to the next.
#[derive(Default)]
pub(super) struct LoadedContents {
    contents: Mutex<HashMap<BlobId, Content>>,
    templates: Mutex<HashMap<BlobId, Arc<Template>>>,
}

/// The contents of one state repository.
pub struct Contents {
    files: RepositoryFiles,
    loaded: Arc<LoadedContents>,
}

/// Why a template file cannot be used.
#[derive(Debug)]
pub enum ContentFault {
    /// The file is not there, or cannot be read; placed at the file, or reported where it is named.
    Missing(String),
    /// The file is there and is faulty.
    Faulty(Finding),
}

impl Contents {
    pub(super) fn new(files: RepositoryFiles, loaded: Arc<LoadedContents>) -> Contents {
        Contents { files, loaded }
    }

    /// The content of the file at `path`.
    ///
    /// # Errors
    /// When there is no such file, it is a link, larger than a blob may be, or cannot be read.
    pub fn load(&self, path: &str) -> Result<Content, ContentFault> {
        let id = self.blob_id(path)?;
        if let Some(content) = lock(&self.loaded.contents).get(&id) {
            return Ok(content.clone());
        }
        let bytes = self.files.load_blob(path, id, MAX_BLOB_BYTES).map_err(ContentFault::Faulty)?;
        let content = Content { file: Some(id), ..Content::of(bytes) };
        lock(&self.loaded.contents).insert(id, content.clone());
        Ok(content)
    }

    /// The template in the file at `path`.
    ///
    /// # Errors
    /// As for [`Contents::load`], and when it is not UTF-8 or does not compile.
    pub fn template(&self, path: &str) -> Result<Arc<Template>, ContentFault> {
        let id = self.blob_id(path)?;
        if let Some(template) = lock(&self.loaded.templates).get(&id) {
            return Ok(template.clone());
        }
        let content = self.load(path)?;
        let Ok(text) = std::str::from_utf8(&content.bytes) else {
            let reason = "a template must be UTF-8 text";
            let finding = Finding::new(Place::start_of(path), reason).with_hint("use 'source' for what is not text");
            return Err(ContentFault::Faulty(finding));
        };
        let compiled = Template::compile_file(&Arc::from(text));
        let template = compiled.map_err(|fault| ContentFault::Faulty(finding_in(path, text, &fault)))?;
        let template = Arc::new(template);
        lock(&self.loaded.templates).insert(id, template.clone());
        Ok(template)
    }

    /// The files below a folder of contents, each with its path relative to that folder.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a FileEntry)> {
        let prefix = folder.len() + 1;
        self.files.below(folder).filter_map(move |(path, entry)| Some((path.get(prefix..)?, entry)))
    }

    /// What stands at a path.
    pub fn entry(&self, path: &str) -> Option<&FileEntry> {
        self.files.entry(path).map(|(_, entry)| entry)
    }

    fn blob_id(&self, path: &str) -> Result<BlobId, ContentFault> {
        match self.files.entry(path) {
            Some((_, FileEntry::File(id))) => Ok(*id),
            Some((_, FileEntry::Link { .. })) => {
                Err(ContentFault::Missing(format!("'{path}' is a link, and links are not followed")))
            }
            Some(_) => Err(ContentFault::Missing(format!("'{path}' is not a file"))),
            None => Err(ContentFault::Missing(format!("there is no file '{path}'"))),
        }
    }
}

/// A template's fault, placed in its file.
fn finding_in(path: &str, text: &str, fault: &TemplateFault) -> Finding {
    Finding::new(Place::in_text(Arc::from(path), text, fault.offset), fault.reason.clone())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
