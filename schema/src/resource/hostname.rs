//! The name of the host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, ResourceSpec};

/// The name that the host gives itself: in `/etc/hostname` and in the running kernel. There is one, with the id
/// `system`.
///
/// ```yaml
/// hostname:
///   system: {name: web-1.example.org}
/// ```
///
/// The host's id in the state repository is another thing and does not change. cloud-init may set the name again at
/// each boot; `preserve_hostname: true` in its configuration keeps it from that. An entry in `/etc/hosts` is a
/// resource of [hosts](hosts.md).
///
/// When the resource leaves, file and kernel get what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostnameSpec {
    /// The name, with or without its domain; at most 64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The longest name that the kernel takes, in bytes.
const MAX_BYTES: usize = 64;

impl ResourceSpec for HostnameSpec {
    const ID: IdForm = IdForm::Single("system");

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let Some(name) = &self.name else { return Some("needs a 'name'".to_owned()) };
        let fits = name.len() <= MAX_BYTES && IdForm::HostName.takes(name);
        (!fits).then(|| format!("has the name {name:?}: letters, digits, '-' and '.', at most {MAX_BYTES}"))
    }
}
