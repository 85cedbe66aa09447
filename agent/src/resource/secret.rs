//! Values that are compared and written, and never shown.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A password hash. It is kept in the ledger, because it may have to come back; reports, plans and logs show dots.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    secret: String,
}

impl Secret {
    /// Hides `secret`.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret { secret: secret.into() }
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.secret
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
