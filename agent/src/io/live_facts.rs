//! Reads the facts of this moment. No program is run, and no other machine is waited for.
#![allow(clippy::disallowed_methods, reason = "reads the kernel's files")]

use std::fs;
use std::path::Path;

use muster_schema::api::{InterfaceFacts, LiveFacts, LoadFacts, MountFacts, PackageFacts, ServiceFacts};

use super::clock;
use super::facts::{FactsError, load_facts};
use super::netlink::{fetch_addresses, fetch_interfaces};
use crate::facts::kernel::{MountLine, data_mounts, load_average, meminfo_mib, types_without_device, uptime_seconds};
use crate::host::RealHost;
use crate::provider::package::load_installed;
use crate::provider::systemd::Systemd;

#[cfg(test)]
mod tests;

/// What the host is and how it is doing. Below another `root` than `/` there are no packages and services of its own.
///
/// # Errors
/// When the kernel does not show what every Linux shows.
pub fn load_live_facts(root: &Path) -> Result<LiveFacts, FactsError> {
    let whole_host = root == Path::new("/");
    let meminfo = read("/proc/meminfo");
    let none = LoadFacts { one: 0.0, five: 0.0, fifteen: 0.0 };
    Ok(LiveFacts {
        stable: load_facts()?,
        read_at: clock::now(),
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        uptime_seconds: uptime_seconds(&read("/proc/uptime")).unwrap_or_default(),
        load: load_average(&read("/proc/loadavg")).unwrap_or(none),
        memory_available_mib: meminfo_mib(&meminfo, "MemAvailable").unwrap_or_default(),
        swap_free_mib: meminfo_mib(&meminfo, "SwapFree").unwrap_or_default(),
        mounts: load_mounts(),
        network: load_network().map_err(FactsError::Interfaces)?,
        packages: whole_host.then(count_packages).flatten(),
        services: whole_host.then(summarise_services).flatten(),
    })
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn load_mounts() -> Vec<MountFacts> {
    let filesystems = read("/proc/filesystems");
    let mounts = data_mounts(&read("/proc/self/mountinfo"), &types_without_device(&filesystems));
    mounts.into_iter().map(mount_facts).collect()
}

fn mount_facts(mount: MountLine) -> MountFacts {
    let space = if mount.is_remote() { None } else { rustix::fs::statvfs(&mount.path).ok() };
    let mib = |blocks: u64, size: u64| u64::try_from((u128::from(blocks) * u128::from(size)) >> 20).unwrap_or(u64::MAX);
    MountFacts {
        size_mib: space.as_ref().map(|space| mib(space.f_blocks, space.f_frsize)),
        free_mib: space.as_ref().map(|space| mib(space.f_bavail, space.f_frsize)),
        path: mount.path,
        what: mount.what,
        r#type: mount.r#type,
        read_only: mount.read_only,
    }
}

fn load_network() -> std::io::Result<Vec<InterfaceFacts>> {
    let addresses = fetch_addresses()?;
    let facts = |interface: crate::facts::interface::Interface| InterfaceFacts {
        addresses: addresses.iter().filter(|one| one.index == interface.index).map(|one| one.address).collect(),
        name: interface.name,
        kind: interface.kind,
    };
    Ok(fetch_interfaces()?.into_iter().map(facts).collect())
}

fn count_packages() -> Option<PackageFacts> {
    let host = RealHost::open(Path::new("/")).ok()?;
    let (manager, database) = load_installed(&host).ok().filter(|(_, database)| !database.is_empty())?;
    let installed = u32::try_from(database.len()).unwrap_or(u32::MAX);
    Some(PackageFacts { provider: manager.name().to_owned(), installed })
}

fn summarise_services() -> Option<ServiceFacts> {
    let summary = Systemd::connect().and_then(|systemd| systemd.summarise_services()).ok()?;
    Some(ServiceFacts { provider: "systemd".to_owned(), running: summary.running, failed: summary.failed })
}
