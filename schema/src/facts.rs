//! Facts: what a host says of itself.
//!
//! Only the stable ones; load, uptime and free space are live and never here.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stable facts of a host. `None` means that the host reported that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The operating system.
    pub os: OsFacts,
    /// The processor's architecture, as `uname -m` says.
    pub arch: String,
    /// Processors that are online.
    pub cpus: u32,
    /// Memory in MiB, as the kernel found at boot.
    pub memory_mib: u64,
    /// The kernel's host name.
    pub hostname: String,
    /// The source address of the default route, IPv4 first.
    pub address: Option<IpAddr>,
    /// Lasting addresses of the host's own interfaces, sorted; no loopback,
    /// link-local, temporary, container or veth address.
    pub addresses: Vec<IpAddr>,
    /// What the host runs in, as systemd-detect-virt names it; `None` on bare metal.
    pub virtualisation: Option<String>,
}

/// From os-release(5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsFacts {
    /// `debian`, `rhel`, `suse`, `alpine`, `arch`: what package providers go by.
    pub family: String,
    /// `ID`.
    pub id: String,
    /// `VERSION_ID`; rolling distributions have none.
    pub version: Option<String>,
    /// `VERSION_CODENAME`.
    pub codename: Option<String>,
}

/// The names that a template may read of `facts`; another name is a finding.
pub const FACT_NAMES: [&str; 12] = [
    "os",
    "os.family",
    "os.id",
    "os.version",
    "os.codename",
    "arch",
    "cpus",
    "memory_mib",
    "hostname",
    "address",
    "addresses",
    "virtualisation",
];
