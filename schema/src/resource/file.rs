//! Regular files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::content::BlobRef;
use crate::mode::Mode;

/// A regular file. On creation it gets root:root and mode 0644 where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileSpec {
    /// Its whole content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<BlobRef>,
    /// The owner: a user name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The group: a group name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The permission bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Tests a candidate before it takes the file's place: an argument vector in
    /// which `{path}` stands for the candidate. Must end with code 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validate: Option<Vec<String>>,
    /// Runs after the change; another end than code 0 restores what was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Vec<String>>,
}
