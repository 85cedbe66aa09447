//! Faults of the state repository.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One fault: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingView {
    /// Path of the file, relative to the root of the repository.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub reason: String,
    /// What to do about it, if that can be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// What the fault holds back.
    pub scope: FindingScope,
}

/// What a finding holds back: nothing new is published for it until the fault is gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingScope {
    /// Everything: the fault is in muster.yaml, policy/ or the layout of the repository.
    Fleet,
    /// These environments; none, where nothing uses the faulty document.
    Environments(BTreeSet<String>),
    /// One host: the fault depends on what that host, or another, reported.
    Host(String),
}
