//! Services.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service, by the host's service manager. `nginx` means `nginx.service`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSpec {
    /// Whether it runs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// Whether it starts at boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether starting it is impossible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masked: Option<bool>,
}
