//! Services.

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, Reactions, ResourceSpec};
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

impl ResourceSpec for ServiceSpec {
    const ID: IdForm = IdForm::Service;
    const CLASS: Option<OrderClass> = Some(OrderClass::Services);
    const REACTIONS: Reactions = Reactions::RestartOrReload;

    fn contradiction(&self, meta: &Meta) -> Option<String> {
        if *self == ServiceSpec::default() && meta.restart_on.is_empty() && meta.reload_on.is_empty() {
            return Some("manages nothing: say whether it is running, enabled or masked".to_owned());
        }
        let masked_and_running = self.masked == Some(true) && self.running == Some(true);
        masked_and_running.then(|| "cannot be masked and running".to_owned())
    }
}
