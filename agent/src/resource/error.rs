//! Why a resource could not be read or changed.

use crate::host::HostError;

/// What went wrong with one resource. It never stops those that do not need it.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// The host refused.
    #[error("the host refused")]
    Host(#[from] HostError),
    /// Putting it right would destroy something, or needs what is not there.
    #[error("{0}")]
    Blocked(String),
    /// It was to go and stays, for this reason. It is out of use as far as that is possible.
    #[error("{0}")]
    Retained(String),
    /// Nobody can tell how it is, for this reason.
    #[error("{0}")]
    Unknown(String),
    /// It is not the time for it yet, for this reason. It is looked at again.
    #[error("{0}")]
    Waits(String),
    /// A program that was to do it said no.
    #[error("{program} ended with code {code}: {message}")]
    Program {
        /// Its name.
        program: String,
        /// Its exit code.
        code: i32,
        /// Its last words.
        message: String,
    },
    /// Something that a service of the host answered.
    #[error("{0}")]
    Failed(String),
    /// The bytes that a state refers to are not at hand.
    #[error("the content {0} is not at hand")]
    NoContent(String),
    /// What was found before the first change could not be kept.
    #[error("the original cannot be kept")]
    Vault(#[from] crate::vault::VaultError),
}

impl ResourceError {
    /// The same without what a program said, where that may tell a secret.
    pub(crate) fn without_words(self) -> ResourceError {
        match self {
            ResourceError::Program { program, code, .. } => {
                let message = "what it says is not told, because it has secrets".to_owned();
                ResourceError::Program { program, code, message }
            }
            other => other,
        }
    }

    /// The whole chain of reasons in one line, for a report.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}
