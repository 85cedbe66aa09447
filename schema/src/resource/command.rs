//! Commands with guards.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::BlobRef;

/// How a command is undone when its resource leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UndoSpec {
    /// The program and its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// A script, run by `argv` or by its own first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<BlobRef>,
}

/// A command. No shell stands between muster and the program.
///
/// It runs when no guard says that its effect is there. With `run_on` and no
/// guard it runs only as a reaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CommandSpec {
    /// The program and its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// A script, written to a private file; its path follows `argv`, or it runs by its own first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<BlobRef>,
    /// What the command reads on standard input; nothing where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin: Option<BlobRef>,
    /// The path that the command makes: it runs only where that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creates: Option<String>,
    /// It does not run when this ends with code 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<Vec<String>>,
    /// It runs only when this ends with code 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Vec<String>>,
    /// It runs once for each value that this takes, and the host remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
    /// What undoes it; runs on removal, only where the command was run by muster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoSpec>,
    /// The working directory; `/` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The user it runs as; root where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment variables; nothing is inherited but PATH, HOME and LANG=C.UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// The exit codes that mean success; 0 where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok_codes: Option<Vec<i32>>,
}
