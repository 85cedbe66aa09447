//! Network interfaces and their addresses, from the kernel's rtnetlink(7) messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[cfg(test)]
mod tests;

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number for it.
    pub index: u32,
    /// `eth0`.
    pub name: String,
    /// What kind of virtual interface it is, as `veth` or `bridge`; empty for hardware.
    pub kind: String,
    /// Whether it is the loopback.
    pub loopback: bool,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface's number.
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// The kernel's `IFA_F_` flags.
    pub flags: u32,
}

/// The message that describes an interface.
pub const NEW_LINK: u16 = 16;
/// The message that describes an address.
pub const NEW_ADDRESS: u16 = 20;

const IFLA_IFNAME: u16 = 3;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
const IFF_LOOPBACK: u32 = 8;
const IFA_F_TEMPORARY: u32 = 0x01;
const IFA_F_DADFAILED: u32 = 0x08;
const IFA_F_DEPRECATED: u32 = 0x20;
const IFA_F_TENTATIVE: u32 = 0x40;

/// Interfaces that container runtimes and virtual machine managers make for their guests.
const GUEST_NETWORKS: [&str; 14] = [
    "docker", "podman", "cni", "virbr", "lxcbr", "lxdbr", "incusbr", "flannel", "cali", "cilium", "lxc", "kube-",
    "vnet", "ve-",
];

/// Reads the payload of a [`NEW_LINK`] message; none when it is cut short.
pub fn load_interface(payload: &[u8]) -> Option<Interface> {
    let index = u32_at(payload, 4)?;
    let flags = u32_at(payload, 8)?;
    let mut name = String::new();
    let mut kind = String::new();
    for (attribute, value) in attributes(payload.get(16..)?) {
        match attribute {
            IFLA_IFNAME => name = text(value),
            IFLA_LINKINFO => {
                kind = attributes(value)
                    .find(|(attribute, _)| *attribute == IFLA_INFO_KIND)
                    .map(|(_, value)| text(value))
                    .unwrap_or_default();
            }
            _ => {}
        }
    }
    Some(Interface { index, name, kind, loopback: flags & IFF_LOOPBACK != 0 })
}

/// Reads the payload of a [`NEW_ADDRESS`] message; none when it is cut short or of another family.
pub fn load_address(payload: &[u8]) -> Option<InterfaceAddress> {
    let index = u32_at(payload, 4)?;
    let mut flags = u32::from(*payload.get(2)?);
    let (mut local, mut address) = (None, None);
    for (attribute, value) in attributes(payload.get(8..)?) {
        match attribute {
            // On a point-to-point link IFA_ADDRESS is the peer's, IFA_LOCAL the own one; IPv6 has only the former.
            IFA_LOCAL => local = ip(value),
            IFA_ADDRESS => address = ip(value),
            IFA_FLAGS => flags = u32_at(value, 0)?,
            _ => {}
        }
    }
    Some(InterfaceAddress { index, address: local.or(address)?, flags })
}

/// The lasting addresses of the host's own interfaces, sorted. Inside a container the host's own interfaces are
/// veths; outside one a veth leads to a guest.
pub fn lasting_addresses(interfaces: &[Interface], addresses: &[InterfaceAddress], in_container: bool) -> Vec<IpAddr> {
    let mut lasting: Vec<IpAddr> = addresses
        .iter()
        .filter(|address| is_lasting(address))
        .filter(|address| {
            interfaces.iter().any(|interface| interface.index == address.index && is_own(interface, in_container))
        })
        .map(|address| address.address)
        .collect();
    lasting.sort_unstable();
    lasting.dedup();
    lasting
}

fn is_own(interface: &Interface, in_container: bool) -> bool {
    !interface.loopback
        && (in_container || interface.kind != "veth")
        && !GUEST_NETWORKS.iter().any(|guest| interface.name.starts_with(guest))
        && !is_docker_bridge(&interface.name)
}

/// Docker calls the bridge of a network `br-` and twelve hexadecimal digits.
fn is_docker_bridge(name: &str) -> bool {
    name.strip_prefix("br-").is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_lasting(address: &InterfaceAddress) -> bool {
    match address.address {
        // The flag of a temporary IPv6 address means "second of its network" in IPv4.
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => {
            let passing = IFA_F_TEMPORARY | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TENTATIVE;
            !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified() && address.flags & passing == 0
        }
    }
}

/// The attributes of a message: length and type in two bytes each, then the value, padded to four bytes.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        // The two highest bits only say how the value is coded.
        let attribute = u16_at(bytes, 2)? & 0x3fff;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((attribute, value))
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(value) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(value).ok()?;
    Some(Ipv6Addr::from(octets).into())
}
