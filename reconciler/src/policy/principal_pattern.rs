//! Patterns of principals.

use std::fmt;

use super::wildcard::matches_wildcards;

/// A principal, with `*` for any text and `?` for one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalPattern(String);

impl PrincipalPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why the text is none.
    pub fn load(text: &str) -> Result<PrincipalPattern, String> {
        let bad = |c: char| c.is_control() || c.is_whitespace() || matches!(c, ',' | '"');
        if text.is_empty() || text.starts_with('!') || text.contains(bad) {
            return Err(format!("'{}' is no principal; write it as in policy/allowed_signers", text.escape_debug()));
        }
        Ok(PrincipalPattern(text.to_owned()))
    }

    /// Whether it is one principal, with nothing that stands for other text.
    pub fn is_exact(&self) -> bool {
        !self.0.contains(['*', '?'])
    }

    /// Whether one of a signer's principals, as policy/allowed_signers lists them, is meant. A pattern
    /// there is taken by its text; one that only takes others out stands for nobody.
    pub fn matches(&self, principals: &[String]) -> bool {
        let meant = |principal: &&String| !principal.starts_with('!');
        principals.iter().filter(meant).any(|principal| matches_wildcards(principal.as_bytes(), self.0.as_bytes()))
    }
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
