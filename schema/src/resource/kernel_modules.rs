//! Modules of the kernel.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::scalar::Scalar;
use crate::resource::{Meta, OrderClass, ResourceSpec};

/// A module of the kernel: loaded now, loaded at boot, its options, and whether it may load by itself.
///
/// ```yaml
/// kernel_modules:
///   br_netfilter: {loaded: true}
///   nf_conntrack: {loaded: true, options: {hashsize: 32768}}
///   pcspkr: {loaded: false, blacklisted: true}
/// ```
///
/// `-` and `_` are the same in names; write `_`. What is to be had at boot stands in `/etc/modules-load.d/muster-NAME.conf`, options
/// and blacklist in `/etc/modprobe.d/muster-NAME.conf`; other files are not touched. Options count from the next time
/// that the module is loaded. A blacklisted module is not loaded for a device; `modprobe NAME` still loads it.
///
/// A module that is built into the kernel is there, and cannot be unloaded: `loaded: false` of one is blocked. So is a
/// module that is in use. In a container modules are the host's: loading fails there with what modprobe says.
///
/// Nothing tells when a module is loaded or goes: it is looked for now and then.
///
/// When the resource leaves, the files go or come back, and the module is unloaded or loaded as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KernelModuleSpec {
    /// Whether it is loaded now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded: Option<bool>,
    /// Whether it is loaded at boot; as `loaded: true` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persisted: Option<bool>,
    /// Whether it is kept from being loaded by an alias, as for a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blacklisted: Option<bool>,
    /// Its parameters, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<BTreeMap<String, Scalar>>,
}

impl ResourceSpec for KernelModuleSpec {
    const ID: IdForm = IdForm::Module;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if *self == KernelModuleSpec::default() {
            return Some("manages nothing: say whether it is loaded, persisted or blacklisted".to_owned());
        }
        if self.loaded == Some(true) && self.blacklisted == Some(true) {
            return Some("cannot be loaded and blacklisted".to_owned());
        }
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let is_value =
            |value: &str| !value.contains(|c: char| c.is_control() || c.is_whitespace() || c == '#' || c == '\\');
        let mut options = self.options.iter().flatten();
        let (bad, _) = options.find(|(name, value)| !is_name(name) || !is_value(&value.to_string()))?;
        Some(format!("has an option {bad:?} that modprobe would not take: no white space, '#' or backslash"))
    }
}
