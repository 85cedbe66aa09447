//! Why packages were not changed.

use crate::host::{HostError, ProgramOutput};

/// The kind of a failure, as far as something can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Another program holds a lock: wait.
    Locked,
    /// An earlier transaction was interrupted: let the manager finish it.
    Interrupted,
    /// The lists of packages do not know it, or know a file that is gone: refresh them.
    Outdated,
    /// Anything else.
    Other,
}

/// Why packages were not changed.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It would do more than was asked for.
    #[error("{0}")]
    Refused(String),
    /// A program of the package manager said no.
    #[error("{0}")]
    Failed(String),
    /// The version is not to be had.
    #[error("{0}")]
    NoVersion(String),
    /// The host could not run a program or read a file.
    #[error("the package manager cannot be used")]
    Host(#[from] HostError),
    /// What is needed to undo the change could not be written down.
    #[error("what comes with the packages cannot be noted")]
    Note(#[source] std::io::Error),
}

impl PackageError {
    /// The error and what caused it, in one line.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

/// What the first of these signs that the program wrote stands for.
pub fn find_sign<T: Copy>(signs: &[(&str, T)], output: &ProgramOutput) -> Option<T> {
    let (stderr, stdout) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    let found = signs.iter().find(|(sign, _)| stderr.contains(sign) || stdout.contains(sign));
    found.map(|(_, meaning)| *meaning)
}

/// The reason in one line: the lines that `tells` picks, or else the last words.
pub fn reason_by(tells: impl Fn(&str) -> bool, stdout: &str, stderr: &str) -> String {
    const MAX: usize = 600;
    let all = || stdout.lines().chain(stderr.lines()).map(str::trim);
    let mut lines: Vec<&str> = all().filter(|line| tells(line)).collect();
    if lines.is_empty() {
        lines.extend(all().rfind(|line| !line.is_empty()));
    }
    lines.dedup();
    let text = lines.join("; ");
    text.chars().filter(|character| !character.is_control()).take(MAX).collect()
}
