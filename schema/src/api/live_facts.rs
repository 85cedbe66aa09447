//! Facts of this moment. They go to whoever asks, and never into templates or Git.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::timestamp::Timestamp;

/// What a host is and how it is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveFacts {
    /// What is in the repository's status branch too, and usable in templates.
    pub stable: Facts,
    /// When this was read, by the host's clock.
    pub read_at: Timestamp,
    /// The running kernel, as `uname -r` says.
    pub kernel: String,
    /// Seconds since the host was started.
    pub uptime_seconds: u64,
    /// Processes that run or wait, on average.
    pub load: LoadFacts,
    /// Memory that programs could still get, in MiB.
    pub memory_available_mib: u64,
    /// Swap that is free, in MiB.
    pub swap_free_mib: u64,
    /// File systems of disks and networks, by path.
    pub mounts: Vec<MountFacts>,
    /// Interfaces, with every address that they have.
    pub network: Vec<InterfaceFacts>,
    /// Installed packages; none where no package manager is known.
    pub packages: Option<PackageFacts>,
    /// Services; none where no service manager is known, or it does not answer.
    pub services: Option<ServiceFacts>,
}

/// Averages over one, five and fifteen minutes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadFacts {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MountFacts {
    /// Where.
    pub path: String,
    /// What: a device, or what stands for one.
    pub what: String,
    /// `ext4`, `nfs4`, …
    pub r#type: String,
    /// Whether nothing can be written there.
    pub read_only: bool,
    /// Its size in MiB; none where it does not answer at once, as of networks.
    pub size_mib: Option<u64>,
    /// What those who are not root can still use, in MiB.
    pub free_mib: Option<u64>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterfaceFacts {
    /// `eth0`.
    pub name: String,
    /// What kind of virtual interface it is, as `bridge`; empty for hardware.
    pub kind: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// Packages in one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageFacts {
    /// The package manager.
    pub provider: String,
    /// How many packages are installed.
    pub installed: u32,
}

/// Services in a few numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceFacts {
    /// The service manager.
    pub provider: String,
    /// How many run.
    pub running: u32,
    /// Those that failed.
    pub failed: Vec<String>,
}
