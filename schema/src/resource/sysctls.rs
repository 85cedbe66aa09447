//! Parameters of the kernel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::scalar::Scalar;
use crate::resource::{Meta, OrderClass, ResourceSpec};

/// A parameter of the running kernel below `/proc/sys`, and its line for the next boot.
///
/// ```yaml
/// sysctls:
///   net.ipv4.ip_forward: {value: 1}
///   net.ipv4.tcp_rmem: {value: "4096 87380 6291456"}
///   net.ipv4.conf.eth0/100.rp_filter: {value: 2, runtime: false}
/// ```
///
/// The id is the key as sysctl(8) writes it, with dots; a slash stands for a dot in a name. The form with slashes is
/// refused, so that a parameter has one address. Values are compared without regard to the amount of white space.
///
/// Kernel and file are looked at, put right and taken back apart. Lines stand together in
/// `/etc/sysctl.d/zz-muster.conf`, which is read after all others; a value that another file sets is not touched, and
/// counts again when ours goes. A parameter that the kernel does not have, because a module is missing or in a
/// container, blocks the resource, after its line was written.
///
/// Nothing tells of a change below `/proc/sys`: it is looked for now and then.
///
/// When the resource leaves, the line goes and the kernel gets the value that was found. `state: absent` takes the
/// line away and leaves the kernel alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SysctlSpec {
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Scalar>,
    /// Whether it is set at boot; true where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persist: Option<bool>,
    /// Whether the running kernel has it; true where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<bool>,
}

impl ResourceSpec for SysctlSpec {
    const ID: IdForm = IdForm::Sysctl;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let Some(value) = &self.value else { return Some("needs a 'value'".to_owned()) };
        let text = value.to_string();
        if text.trim().is_empty() || text.contains(|c: char| c.is_control() && c != '\t') {
            return Some("has a value that is empty or has control characters".to_owned());
        }
        let nothing = self.persist == Some(false) && self.runtime == Some(false);
        nothing.then(|| "manages nothing: neither the kernel nor the file".to_owned())
    }
}
