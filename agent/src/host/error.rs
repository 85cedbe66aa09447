//! What the host refuses.

use super::FileKind;
use std::time::Duration;

/// Why the host could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The system refused.
    #[error("{action} {path}")]
    Io {
        /// What was tried: `read`, `rename`.
        action: &'static str,
        /// On what.
        path: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Something of another kind stands there.
    #[error("{path} is a {found}, not a {expected}")]
    Kind {
        /// The path.
        path: String,
        /// What was expected.
        expected: FileKind,
        /// What is there.
        found: FileKind,
    },
    /// A file has several names, and a change would reach the others.
    #[error("{0} has several names (hard links)")]
    SeveralNames(String),
    /// A link on the way belongs to someone who could point it elsewhere.
    #[error("{0} leads through a link that neither root nor the agent owns")]
    UntrustedLink(String),
    /// A name is not UTF-8.
    #[error("{0} holds a name that is not UTF-8")]
    NotText(String),
    /// The file system keeps no extended attributes of this kind.
    #[error("the file system of {path} keeps no {name}")]
    NoXattr {
        /// The path.
        path: String,
        /// The attribute.
        name: String,
    },
    /// A directory is not empty.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// A program could not be started.
    #[error("program {program}")]
    Program {
        /// Its name.
        program: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A program took too long and was ended.
    #[error("program {program} took longer than {}", humantime(limit))]
    Timeout {
        /// Its name.
        program: String,
        /// What it was given.
        limit: Duration,
    },
}

fn humantime(limit: &Duration) -> String {
    format!("{} s", limit.as_secs())
}

impl HostError {
    pub(super) fn io(action: &'static str, path: impl ToString, source: impl Into<std::io::Error>) -> HostError {
        HostError::Io { action, path: path.to_string(), source: source.into() }
    }
}
