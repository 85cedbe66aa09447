//! What a plug-in answers. What is not known here is refused.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The number of the request.
    pub(super) id: Option<u64>,
    /// What it came to.
    pub(super) ok: Option<Map<String, Value>>,
    /// Why it came to nothing.
    pub(super) error: Option<Refusal>,
}

/// Why a request came to nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) message: String,
}

/// What kind of refusal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Code {
    /// It does not know the request, or a feature that is asked for.
    Unsupported,
    /// Putting it right would destroy something, or needs what is not there.
    Blocked,
    /// It cannot be taken back.
    Retained,
    /// It cannot tell.
    Unknown,
    /// It did not work.
    Failed,
    /// It was told to stop.
    Cancelled,
}

/// The answer to `describe`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    pub(super) protocol: u32,
    pub(super) features: Vec<String>,
    /// For people.
    #[serde(default, rename = "name")]
    pub(super) _name: Option<String>,
    /// For people.
    #[serde(default, rename = "version")]
    pub(super) _version: Option<String>,
}

/// The answer to `get`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Found {
    pub(super) present: bool,
    #[serde(default)]
    pub(super) attributes: Map<String, Value>,
}

/// The answer to `list`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) ids: Vec<String>,
}

/// The answer to `apply`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Done {}
