//! The host that this process runs on, or a tree of it.

#![allow(clippy::disallowed_methods)]

mod below;
mod fetch;
mod kernel;
mod program;
mod reader;
#[cfg(test)]
mod tests;
mod tree;
mod writer;
mod xattr;

use super::{Fetch, FetchError, FileKind, Notes, Reader, Scope};
use super::{
    FileWrite, HostError, HostPath, HostRead, HostWrite, NewAttributes, NewXattr, Prepared, Program, ProgramOutput,
};
use crate::extension::{ExtensionRead, ExtensionWrite, Extensions};
use crate::secrets::Secrets;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use tree::Tree;

/// The real host.
pub struct RealHost {
    tree: Tree,
    scope: Scope,
    notes: Option<Notes>,
    extensions: Option<Arc<Extensions>>,
    secrets: Option<Arc<Secrets>>,
}

impl RealHost {
    /// The whole host, or the tree at `root`.
    ///
    /// # Errors
    /// When the root cannot be opened.
    pub fn open(root: &Path) -> Result<RealHost, HostError> {
        let tree = Tree::open(root)?;
        let sandbox = root != Path::new("/");
        // A tree without accounts of its own has no owners to give things to.
        let accounts = !sandbox || root.join("etc/passwd").exists();
        let scope = Scope { sandbox, owners: accounts && rustix::process::geteuid().is_root() };
        Ok(RealHost { tree, scope, notes: None, extensions: None, secrets: None })
    }

    /// The same host, with notes about how its changes are made.
    #[must_use]
    pub fn with_notes(self, notes: Notes) -> RealHost {
        RealHost { notes: Some(notes), ..self }
    }

    /// The same host, with what reads its secrets.
    #[must_use]
    pub fn with_secrets(self, secrets: Arc<Secrets>) -> RealHost {
        RealHost { secrets: Some(secrets), ..self }
    }

    /// The same host, with what provides declared collections.
    #[must_use]
    pub fn with_extensions(self, extensions: Arc<Extensions>) -> RealHost {
        RealHost { extensions: Some(extensions), ..self }
    }
}

impl HostRead for RealHost {
    fn scope(&self) -> Scope {
        self.scope
    }

    fn notes(&self) -> Option<&Notes> {
        self.notes.as_ref()
    }

    fn secrets(&self) -> Option<&Secrets> {
        self.secrets.as_deref()
    }

    fn extensions(&self) -> Option<&dyn ExtensionRead> {
        self.extensions.as_deref().map(|extensions| extensions as &dyn ExtensionRead)
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(reader::RealReader::new(&self.tree))
    }

    fn query(&self, program: &Program) -> Result<ProgramOutput, HostError> {
        program::run(program)
    }
}

impl HostWrite for RealHost {
    fn prepare(&self, write: FileWrite<'_>) -> Result<Prepared, HostError> {
        writer::prepare(&self.tree, write)
    }

    fn commit(&self, prepared: Vec<Prepared>) -> Vec<Result<(), HostError>> {
        writer::commit(&self.tree, prepared)
    }

    fn discard(&self, prepared: Prepared) {
        writer::discard(&self.tree, &prepared);
    }

    fn set_attributes(&self, path: &HostPath, new: &NewAttributes) -> Result<(), HostError> {
        writer::set_attributes(&self.tree, path, new)
    }

    fn set_attributes_below(&self, top: &HostPath, new: &[(String, NewAttributes)]) -> Result<(), HostError> {
        below::set_attributes_below(&self.tree, top, new)
    }

    fn set_xattrs(&self, path: &HostPath, new: &[NewXattr]) -> Result<(), HostError> {
        xattr::set_xattrs(&self.tree, path, new)
    }

    fn make_directory(&self, path: &HostPath, new: &NewAttributes) -> Result<(), HostError> {
        writer::make_directory(&self.tree, path, new)
    }

    fn make_link(&self, path: &HostPath, target: &str) -> Result<(), HostError> {
        writer::make_link(&self.tree, path, target)
    }

    fn remove(&self, path: &HostPath, kind: FileKind) -> Result<(), HostError> {
        writer::remove(&self.tree, path, kind)
    }

    fn remove_candidates(&self, folder: &HostPath) -> Result<(), HostError> {
        writer::remove_candidates(&self.tree, folder)
    }

    fn fetch(&self, fetch: &Fetch<'_>) -> Result<Box<dyn Read>, FetchError> {
        fetch::fetch(fetch)
    }

    fn set_parameter(&self, path: &HostPath, value: &str) -> Result<(), HostError> {
        kernel::set_parameter(&self.tree, path, value)
    }

    fn set_host_name(&self, name: &str) -> Result<(), HostError> {
        kernel::set_host_name(name)
    }

    fn run(&self, program: &Program) -> Result<ProgramOutput, HostError> {
        program::run(program)
    }

    fn extension_writer(&self) -> Option<&dyn ExtensionWrite> {
        self.extensions.as_deref().map(|extensions| extensions as &dyn ExtensionWrite)
    }

    fn as_read(&self) -> &dyn HostRead {
        self
    }
}
