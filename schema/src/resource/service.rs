//! Services.

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, Reactions, ResourceSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service, by the host's service manager: systemd where it is the first process, else OpenRC, else the scripts of
/// System V init. `nginx` means `nginx.service`; with systemd other units can be named too.
///
/// A unit that is on its way to another state, because somebody restarts it, is judged when it has come to rest. A
/// masked unit is never unmasked but by `masked: false`. What has nothing to enable (`static`, `indirect`, `generated`)
/// and is to be enabled is `blocked`, once all else is right. Restarts happen once per apply, and only where the
/// service runs.
///
/// With OpenRC and System V init `enabled` means the usual runlevels (`default`, or 2 to 5), `masked: true` is
/// `blocked`, and whether a service runs only its script can tell: `status` runs once per look for each service whose
/// `running` is managed. Nobody tells of a service that falls there, so the next sweep finds it; a
/// script that takes a fallen service for started is believed, as many are with Debian's OpenRC. OpenRC runs scripts of
/// System V init too, and is asked of them only what their own `status` says. All this is tested on hosts of Debian 12
/// that sysvinit has booted in a container, with its own scripts and with OpenRC, where the agent is started by
/// `agent/sysv/muster-agent` and `agent/openrc/muster-agent`.
///
/// When the resource leaves, the service goes back to what it was: on or off, enabled or not. A service that was
/// started in another runlevel of OpenRC comes back in `default`.
///
/// ```yaml
/// resources:
///   services:
///     nginx: {running: true, enabled: true, reload_on: ["files/etc/nginx/*"]}
/// ```
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
