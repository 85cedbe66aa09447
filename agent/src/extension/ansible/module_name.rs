//! Names of modules.

use std::fmt;
use std::str::FromStr;

const LONGEST: usize = 200;

/// The whole name of a module, as `ansible.builtin.file`: namespace, collection, and the module in it. It can be no
/// path and no option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleName(String);

/// It is no whole name of a module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a module; a whole one is needed, as ansible.builtin.file")]
pub struct BadModuleName(String);

impl ModuleName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModuleName {
    type Err = BadModuleName;

    fn from_str(text: &str) -> Result<ModuleName, BadModuleName> {
        let is_word = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if text.len() <= LONGEST && text.split('.').count() >= 3 && text.split('.').all(is_word) {
            Ok(ModuleName(text.to_owned()))
        } else {
            Err(BadModuleName(text.chars().take(LONGEST).collect()))
        }
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
