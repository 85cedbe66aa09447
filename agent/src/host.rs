//! The port to the managed host: reading it, changing it, running programs on it.
//!
//! Reading and writing are two traits, so that an audit holds nothing that can write. `real` works on `/` or on the
//! tree under `--root`; `fake` is a host in memory for property tests.

mod accounts;
mod candidate;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod fetch;
mod meta;
mod notes;
mod path;
mod program;
mod real;
mod scratch;
mod write;

pub use accounts::{Accounts, Login};
use candidate::candidate_name;
pub(crate) use candidate::is_candidate;
pub use error::HostError;
pub use fetch::{Fetch, FetchError, shown_url};
pub use meta::{FileKind, Meta};
pub use notes::Notes;
pub use path::{BadPath, HostPath};
pub(crate) use program::PATH;
pub use program::{Program, ProgramOutput};
pub use real::RealHost;
pub use scratch::{open_scratch, scratch_file, scratch_folder};
pub use write::{FileWrite, NewAttributes, NewXattr, Prepared};

use crate::extension::{ExtensionRead, ExtensionWrite};
use crate::secrets::Secrets;
use muster_schema::content::BlobRef;
use std::io::{Read, Write};

/// What makes sense on this host at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// A tree under `--root` and no whole host: only files, directories and links are managed there.
    pub sandbox: bool,
    /// Whether the agent may give things to other owners.
    pub owners: bool,
}

/// Reads the host.
pub trait HostRead: Send + Sync {
    /// What makes sense here.
    fn scope(&self) -> Scope;

    /// What was written down about how changes of this host were made. None where nothing is kept.
    fn notes(&self) -> Option<&Notes> {
        None
    }

    /// What reads the secrets of this host. None where nothing can.
    fn secrets(&self) -> Option<&Secrets> {
        None
    }

    /// What reads things of declared collections. None where nothing can.
    fn extensions(&self) -> Option<&dyn ExtensionRead> {
        None
    }

    /// Begins one pass of reading. What a pass keeps open or in memory ends with it.
    fn reader(&self) -> Box<dyn Reader + '_>;

    /// Runs a program that only looks: a guard, a query to a package database.
    ///
    /// # Errors
    /// When it cannot be started or takes too long. Another exit code than 0 is no error.
    fn query(&self, program: &Program) -> Result<ProgramOutput, HostError>;
}

/// One pass of reading files. Links in the last component are never followed; links on the way only if their owner
/// is root or the agent.
pub trait Reader {
    /// What stands at `path`, without its content.
    ///
    /// # Errors
    /// When the path cannot be looked at; that nothing is there is `None`.
    fn meta(&mut self, path: &HostPath) -> Result<Option<Meta>, HostError>;

    /// What stands at `path`, and the content of a regular file by size and digest.
    ///
    /// # Errors
    /// As `meta`, or when the content cannot be read.
    fn digest(&mut self, path: &HostPath) -> Result<Option<(Meta, Option<BlobRef>)>, HostError>;

    /// Copies the content of a regular file, and says what it copied.
    ///
    /// # Errors
    /// When there is no regular file, or reading or writing fails.
    fn copy(&mut self, path: &HostPath, to: &mut dyn Write) -> Result<BlobRef, HostError>;

    /// What the link at `path` holds.
    ///
    /// # Errors
    /// When there is no link, or its target is not UTF-8.
    fn link_target(&mut self, path: &HostPath) -> Result<String, HostError>;

    /// The value of an extended attribute of the file or directory at `path`; `None` where it has none of that name.
    ///
    /// # Errors
    /// When nothing stands there, or the file system keeps no such attributes.
    fn xattr(&mut self, path: &HostPath, name: &str) -> Result<Option<Vec<u8>>, HostError>;

    /// Whether something is mounted at `path`.
    ///
    /// # Errors
    /// When it cannot be looked at.
    fn is_mount_point(&mut self, path: &HostPath) -> Result<bool, HostError>;

    /// The names in the directory at `path`, sorted.
    ///
    /// # Errors
    /// When there is no directory, or it cannot be read.
    fn list(&mut self, path: &HostPath) -> Result<Vec<String>, HostError>;
}

/// Changes the host. Every method is durable when it returns, but for `prepare`.
pub trait HostWrite: HostRead {
    /// Writes a candidate beside its target: private until `commit`, on disk but not yet synced.
    ///
    /// # Errors
    /// When the target is no regular file or link, or the disk refuses.
    fn prepare(&self, write: FileWrite<'_>) -> Result<Prepared, HostError>;

    /// Puts all candidates in place: syncs them together, renames each over its target, syncs the folders. One that
    /// fails leaves the others alone; the answers are in the order of the candidates.
    fn commit(&self, prepared: Vec<Prepared>) -> Vec<Result<(), HostError>>;

    /// Replaces one file.
    ///
    /// # Errors
    /// As `prepare`, or when it cannot be put in place.
    fn write(&self, write: FileWrite<'_>) -> Result<(), HostError> {
        let candidate = self.prepare(write)?;
        self.commit(vec![candidate]).into_iter().collect()
    }

    /// Removes a candidate that is not wanted.
    fn discard(&self, prepared: Prepared);

    /// Sets mode, owner and group of the file or directory at `path`. A file with several names is refused.
    ///
    /// # Errors
    /// When something else stands there, or the system refuses.
    fn set_attributes(&self, path: &HostPath, new: &NewAttributes) -> Result<(), HostError>;

    /// Sets mode, owner and group of files and directories below the directory `top`, each by its path from there. No
    /// link and no mount on the way is passed, whoever owns it. What is gone, or is no such thing any more, is left out.
    ///
    /// # Errors
    /// When the system refuses one of them. The others are set.
    fn set_attributes_below(&self, top: &HostPath, new: &[(String, NewAttributes)]) -> Result<(), HostError>;

    /// Sets extended attributes of the file at `path`. A file with several names is refused.
    ///
    /// # Errors
    /// When something else stands there, or the file system keeps no such attributes.
    fn set_xattrs(&self, path: &HostPath, new: &[NewXattr]) -> Result<(), HostError>;

    /// Makes a directory. Its parent exists.
    ///
    /// # Errors
    /// When something stands there, or the system refuses.
    fn make_directory(&self, path: &HostPath, new: &NewAttributes) -> Result<(), HostError>;

    /// Makes a symbolic link, in one step with the removal of a file or link in its place.
    ///
    /// # Errors
    /// When a directory stands there, or the system refuses.
    fn make_link(&self, path: &HostPath, target: &str) -> Result<(), HostError>;

    /// Removes the file, link or empty directory at `path`. That nothing is there is no error.
    ///
    /// # Errors
    /// When it is another kind, a directory is not empty, or the system refuses.
    fn remove(&self, path: &HostPath, kind: FileKind) -> Result<(), HostError>;

    /// Removes candidates of an interrupted run from the folder at `path`.
    ///
    /// # Errors
    /// When the folder cannot be read or a candidate cannot be removed.
    fn remove_candidates(&self, folder: &HostPath) -> Result<(), HostError>;

    /// Begins to fetch a file from elsewhere. What is read of the answer fails with a [`FetchError`] where the transfer
    /// breaks, takes too long or does not end.
    ///
    /// # Errors
    /// When nothing comes.
    fn fetch(&self, fetch: &Fetch<'_>) -> Result<Box<dyn Read>, FetchError>;

    /// Gives the running kernel a value; the path is below `/proc/sys`. It is gone at the next boot.
    ///
    /// # Errors
    /// When there is no such parameter, or the kernel does not take the value.
    fn set_parameter(&self, path: &HostPath, value: &str) -> Result<(), HostError>;

    /// Gives the running kernel the name of the host. It is gone at the next boot.
    ///
    /// # Errors
    /// When the kernel does not take it.
    fn set_host_name(&self, name: &str) -> Result<(), HostError>;

    /// Runs a program that may change the host.
    ///
    /// # Errors
    /// When it cannot be started or takes too long. Another exit code than 0 is no error.
    fn run(&self, program: &Program) -> Result<ProgramOutput, HostError>;

    /// What changes things of declared collections. None where nothing can.
    fn extension_writer(&self) -> Option<&dyn ExtensionWrite> {
        None
    }

    /// The reading half.
    fn as_read(&self) -> &dyn HostRead;
}
