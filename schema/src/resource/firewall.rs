//! What the firewall lets in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::resource::scalar::Scalar;
use crate::resource::{Meta, OrderClass, ResourceSpec};

/// What may come in, by nftables: rules in the table `inet muster`, which is muster's own. The id is a free name; rules
/// of all resources stand in one chain, in the order of their ids.
///
/// ```yaml
/// firewall:
///   default: {policy: drop}
///   ssh: {ports: [ssh], sources: [10.0.0.0/8, "fd00::/8"]}
///   web: {ports: [80, 443, 8000-8100]}
///   dns: {ports: [53], protocol: udp, interfaces: [eth1]}
/// ```
///
/// What answers a connection that stands, the loopback interface and ICMP always come in. The running kernel and the file
/// for the next boot, `/etc/nftables.d/muster.nft`, are looked at and put right apart; a line in `/etc/nftables.conf`
/// includes the file, and the service `nftables` has to be enabled to load it. Other tables stay as they are, and count
/// too: what one of them drops does not come in. A whole ruleset of your own is better a file, with
/// `validate: [nft, -c, -f, "{path}"]`.
///
/// All rules are checked by `nft -c` and take their place in one step. Where ufw or firewalld is active, the resource is
/// blocked: two would fight. So it is on a host without nftables. Nothing tells of changes of the running rules: they are
/// looked for now and then. That a rule is there is told by its comment; who changes a rule and leaves its comment is not
/// noticed.
///
/// When the last resource leaves, the table, the file and the line go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FirewallSpec {
    /// What happens to what no rule names; `accept` where no resource says. One resource may say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<FirewallPolicy>,
    /// Ports: numbers, ranges (`8000-8100`) or names of services (`ssh`) that the host's `/etc/services` has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<Scalar>>,
    /// The protocol of the ports; `tcp` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<FirewallProtocol>,
    /// The interfaces that it counts for; all where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interfaces: Option<Vec<String>>,
    /// Addresses and networks that it counts for; all where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
    /// What happens to it; `accept` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<FirewallAction>,
}

/// What happens to what no rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirewallPolicy {
    /// It comes in.
    Accept,
    /// It does not.
    Drop,
}

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirewallProtocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// What happens to what a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirewallAction {
    /// It comes in.
    #[default]
    Accept,
    /// It does not, and nobody is told.
    Drop,
    /// It does not, and the sender is told.
    Reject,
}

impl ResourceSpec for FirewallSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);

    fn contradiction(&self, _: &Meta) -> Option<String> {
        let lists = [self.interfaces.as_ref(), self.sources.as_ref()];
        let ports = self.ports.iter().flatten().count();
        if lists.into_iter().flatten().any(Vec::is_empty) || (self.ports.is_some() && ports == 0) {
            return Some("has an empty list, which would mean all".to_owned());
        }
        if ports == 0 && lists.iter().all(Option::is_none) && self.policy.is_none() {
            return Some("needs 'ports', 'sources', 'interfaces' or 'policy'".to_owned());
        }
        if let Some(bad) = self.ports.iter().flatten().map(ToString::to_string).find(|port| !is_port(port)) {
            return Some(format!("has the port {bad:?}: a number, a range or the name of a service"));
        }
        if let Some(bad) = self.interfaces.iter().flatten().find(|name| !is_interface(name)) {
            return Some(format!("has {bad:?}, which is no interface"));
        }
        let bad = self.sources.iter().flatten().find(|source| !is_network(source))?;
        Some(format!("has {bad:?}, which is no address or network"))
    }
}

fn is_port(port: &str) -> bool {
    let is_number = |text: &str| text.parse::<u16>().is_ok_and(|number| number > 0);
    let is_name = |text: &str| {
        text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_range = port.split_once('-').is_some_and(|(from, to)| is_number(from) && is_number(to));
    is_number(port) || is_range || is_name(port)
}

fn is_interface(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@' | b':');
    (1..=15).contains(&name.len()) && name.bytes().all(allowed)
}

fn is_network(source: &str) -> bool {
    let (address, length) = source.split_once('/').unwrap_or((source, "0"));
    let bits = match address.parse() {
        Ok(std::net::IpAddr::V4(_)) => 32,
        Ok(std::net::IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= bits)
}
