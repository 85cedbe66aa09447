//! Who made drift.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The longest text of a culprit, in characters; agents cut longer ones.
pub const MAX_CULPRIT_CHARACTERS: usize = 256;

/// The process that touched a thing last before it was found to differ, as the host's kernel told it then. What is
/// missing is not known; nothing is guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Culprit {
    /// Its process id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pid: Option<u32>,
    /// What it calls itself: the kernel's `comm`, which for a script is the script's name. A process may choose it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The path of the program that it ran.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub program: Option<String>,
    /// Its effective user id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uid: Option<u32>,
    /// The name of that user on the host.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// The user id that was logged in with, whoever it became since.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login_uid: Option<u32>,
    /// The name of that user on the host.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login: Option<String>,
    /// Its login session.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<String>,
    /// The service of systemd that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unit: Option<String>,
    /// Other processes had touched it, too, since it was looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub others: bool,
}

impl Culprit {
    /// The same with `make` applied to every text: what a stranger wrote is made harmless so.
    #[must_use]
    pub fn map_texts(&self, make: impl Fn(&str) -> String) -> Culprit {
        let make = |text: &Option<String>| text.as_deref().map(&make);
        Culprit {
            name: make(&self.name),
            program: make(&self.program),
            user: make(&self.user),
            login: make(&self.login),
            session: make(&self.session),
            unit: make(&self.unit),
            ..*self
        }
    }
}

/// `vim (pid 4711) as root, logged in as kim, session 3`.
impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.program.as_deref().and_then(|path| path.rsplit('/').next());
        f.write_str(self.name.as_deref().or(file).unwrap_or("unknown program"))?;
        match self.pid {
            Some(pid) => write!(f, " (pid {pid})")?,
            None => f.write_str(" (pid unknown)")?,
        }
        match (&self.user, self.uid) {
            (Some(user), _) => write!(f, " as {user}")?,
            (None, Some(uid)) => write!(f, " as uid {uid}")?,
            (None, None) => f.write_str(" as unknown user")?,
        }
        if self.login_uid.is_some() && self.login_uid != self.uid {
            match (&self.login, self.login_uid) {
                (Some(login), _) => write!(f, ", logged in as {login}")?,
                (None, Some(uid)) => write!(f, ", logged in as uid {uid}")?,
                (None, None) => {}
            }
        }
        if let Some(session) = &self.session {
            write!(f, ", session {session}")?;
        }
        if let Some(unit) = &self.unit {
            write!(f, ", of {unit}")?;
        }
        if self.others { f.write_str(", after others") } else { Ok(()) }
    }
}
