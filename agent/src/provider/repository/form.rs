//! What a package manager makes of a repository.

use super::{KeyKind, Keyring};
use crate::host::Program;
use crate::provider::package::PackageManager;
use muster_schema::resource::RepositorySpec;
use std::fmt::Write;
use std::time::Duration;

/// The first line of what is written.
pub(in crate::provider) const MARK: &str = "# Managed by muster: changes here are taken back.\n";

/// Where a repository's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// What says where it is.
    pub file: String,
    /// Its key.
    pub key: String,
    /// What says which repository wins, where that is a file of its own.
    pub preferences: Option<String>,
    /// The line that has its file read, where that does not go without saying.
    pub include: Option<Include>,
}

/// A line in a file of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The file.
    pub path: &'static str,
    /// The line, without its end.
    pub line: String,
}

/// What the files are to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What says where it is.
    pub file: String,
    /// What says which repository wins.
    pub preferences: Option<String>,
    /// Whether the line of [`Places::include`] is to be there.
    pub included: bool,
}

/// Repositories as one package manager has them.
pub trait RepositoryForm: Sync {
    /// The manager.
    fn manager(&self) -> &'static dyn PackageManager;

    /// What it cannot do of the specification, as the rest of a sentence that begins with the manager's name.
    fn lacks(&self, spec: &RepositorySpec) -> Option<String>;

    /// Where the files of a repository are.
    fn places(&self, id: &str, spec: &RepositorySpec) -> Places;

    /// What they are to hold.
    fn render(&self, id: &str, spec: &RepositorySpec) -> Rendered;

    /// What its keys are.
    fn key_kind(&self) -> KeyKind {
        KeyKind::OpenPgp
    }

    /// The keyring that keys have to be in beside their files.
    fn keyring(&self) -> Option<Keyring> {
        None
    }

    /// Tells whether the manager can read all of its files together, without fetching anything.
    fn check_program(&self, _timeout: Duration) -> Option<Program> {
        None
    }

    /// Fetches the lists of one repository, or of all where the manager knows no less.
    fn refresh_program(&self, id: &str, timeout: Duration) -> Program;

    /// Makes the manager forget the lists of a repository; to be run before its file goes.
    fn forget_program(&self, _id: &str, _timeout: Duration) -> Option<Program> {
        None
    }

    /// Files that hold its lists, where the manager leaves them behind.
    fn cached_files(&self, _id: &str) -> Vec<String> {
        Vec::new()
    }

    /// Whether all lists are to be fetched anew when a repository has gone, because that is how old ones go.
    fn refreshes_without(&self) -> bool {
        false
    }
}

/// The first of these attributes that the specification gives, as what a manager lacks.
pub(in crate::provider) fn given(spec: &RepositorySpec, names: &[&'static str]) -> Option<String> {
    let is_given = |name: &&&'static str| match **name {
        "suites" => spec.suites.is_some(),
        "components" => spec.components.is_some(),
        "architectures" => spec.architectures.is_some(),
        "mirrorlist" => spec.mirrorlist.is_some(),
        "key_name" => spec.key_name.is_some(),
        "key_file" => spec.key_file.is_some(),
        "priority" => spec.priority.is_some(),
        "pin" => spec.pin.is_some(),
        "trusted" => spec.trusted == Some(true),
        "verify" => spec.verify.is_some(),
        _ => false,
    };
    names.iter().find(is_given).map(|name| format!("has no '{name}' for a repository"))
}

/// A line of comment for each key. With another fingerprint the file is another one, so that the key is checked anew.
pub(in crate::provider) fn key_lines(spec: &RepositorySpec) -> String {
    spec.all_fingerprints().iter().fold(String::new(), |mut lines, fingerprint| {
        let _ = writeln!(lines, "# Key: {fingerprint}");
        lines
    })
}
