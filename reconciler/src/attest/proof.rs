//! What is proved, and what is not.

use serde::Serialize;

/// What a bundle shows.
#[derive(Debug, Default, Serialize)]
pub struct Proof {
    /// What is shown.
    pub proved: Vec<Claim>,
    /// What is not shown, and what would show it.
    pub not_proved: Vec<String>,
}

/// One thing that is shown.
#[derive(Debug, Serialize)]
pub struct Claim {
    /// What.
    pub what: String,
    /// By whose signature.
    pub by: String,
}

impl Proof {
    /// Adds what is shown.
    pub fn show(&mut self, what: impl Into<String>, by: impl Into<String>) {
        self.proved.push(Claim { what: what.into(), by: by.into() });
    }

    /// Adds what is not shown.
    pub fn lack(&mut self, what: impl Into<String>) {
        self.not_proved.push(what.into());
    }
}

/// A file that does not hold: the bundle proves nothing.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct AttestFault {
    /// The file, relative to the bundle.
    pub file: String,
    /// Why.
    pub reason: String,
}

impl AttestFault {
    /// A fault of `file`.
    pub fn new(file: impl Into<String>, reason: impl ToString) -> Self {
        AttestFault { file: file.into(), reason: reason.to_string() }
    }
}
