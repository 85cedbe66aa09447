//! What systemd says of a unit.

#[cfg(test)]
mod tests;

/// A unit, as one look found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// Its own name, where it was asked for by an alias.
    pub id: String,
    /// `loaded`, `not-found`, `bad-setting`, `error`, `masked`, …
    pub load: String,
    /// `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`, …
    pub active: String,
    /// The finer state of its type: `running`, `auto-restart`, …
    pub sub: String,
    /// Somebody has asked for a start, stop or restart of it, and that is not done yet.
    pub job: bool,
    /// What is installed of it; `None` for a unit without a file.
    pub file: Option<FileState>,
}

/// What is installed of a unit's file: systemd's own words, as far as they differ for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// It starts at boot.
    Enabled,
    /// It would start at boot, but only until then.
    EnabledRuntime,
    /// It does not start at boot, and could.
    Disabled,
    /// Starting it is impossible.
    Masked,
    /// It cannot be enabled: `static`, `indirect`, `generated`, `transient`, …
    Fixed(String),
}

impl FileState {
    /// Reads systemd's word.
    pub fn of(word: &str) -> FileState {
        match word {
            "enabled" => FileState::Enabled,
            "enabled-runtime" => FileState::EnabledRuntime,
            "disabled" | "linked" | "linked-runtime" => FileState::Disabled,
            "masked" | "masked-runtime" => FileState::Masked,
            other => FileState::Fixed(other.to_owned()),
        }
    }
}

impl UnitState {
    /// Whether systemd knows such a unit at all.
    pub fn exists(&self) -> bool {
        self.load != "not-found"
    }

    /// Whether it runs, or is on the way to it. One that systemd tries again and again does not run.
    pub fn runs(&self) -> bool {
        match self.active.as_str() {
            "active" | "reloading" | "refreshing" => true,
            "activating" => self.sub != "auto-restart",
            _ => false,
        }
    }

    /// Whether it is on the way to another state, so that it is too early to judge it.
    pub fn is_passing(&self) -> bool {
        self.job
            || match self.active.as_str() {
                "activating" => self.sub != "auto-restart",
                "deactivating" | "reloading" | "refreshing" => true,
                _ => false,
            }
    }

    /// Whether it is masked.
    pub fn is_masked(&self) -> bool {
        self.load == "masked" || self.file == Some(FileState::Masked)
    }
}
