//! Entries of the hosts file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, ResourceSpec};

/// A name in `/etc/hosts`, with its addresses. The id is the first name of the line.
///
/// ```yaml
/// hosts:
///   db.example.org: {addresses: [10.0.0.5, "fd00::5"], aliases: [db]}
/// ```
///
/// Each address has a line of its own. Lines with another first name are not touched, even if they have this one among
/// their aliases; a comment at the end of a line stays. On a host that is set up by cloud-init with
/// `manage_etc_hosts: true` the file is written anew at each boot, and put right again then.
///
/// When the resource leaves, its lines go, or those that were found come back; the comment of a line that went does not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostEntrySpec {
    /// Its addresses, IPv4 or IPv6: exactly these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<String>>,
    /// Further names on the same lines: exactly these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Vec<String>>,
}

impl ResourceSpec for HostEntrySpec {
    const ID: IdForm = IdForm::HostName;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let addresses = self.addresses.iter().flatten();
        let is_address = |text: &str| text.split('%').next().unwrap_or_default().parse::<std::net::IpAddr>().is_ok();
        if let Some(bad) = addresses.clone().find(|text| !is_address(text) || text.contains(char::is_whitespace)) {
            return Some(format!("has {bad:?}, which is no address"));
        }
        if addresses.count() == 0 {
            return Some("needs 'addresses'".to_owned());
        }
        let alias = self.aliases.iter().flatten().find(|alias| !IdForm::HostName.takes(alias))?;
        Some(format!("has the alias {alias:?}, which is no name of a host"))
    }
}
