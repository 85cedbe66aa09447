//! Reads the stable facts of this host. No program is run.

#![allow(clippy::disallowed_methods)]

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::{Path, PathBuf};

use muster_schema::facts::{Facts, OsFacts};

use crate::facts::cpu::{count_processors, memory_mib};
use crate::facts::interface::lasting_addresses;
use crate::facts::os_release::load_os;
use crate::facts::virtualisation::{Traces, detect_container, detect_machine};
use crate::io::netlink::{fetch_addresses, fetch_interfaces};

#[cfg(test)]
mod tests;

/// Why facts cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// A file that every Linux has cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of the kernel has another form than documented.
    #[error("cannot make out {path}", path = path.display())]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// The kernel does not tell the interfaces or their addresses.
    #[error("cannot list the network interfaces")]
    Interfaces(#[source] io::Error),
}

/// The stable facts of this host.
///
/// # Errors
/// When the kernel does not show what every Linux shows, as in a chroot without /proc.
pub fn load_facts() -> Result<Facts, FactsError> {
    let traces = load_traces();
    let container = detect_container(&traces);
    let interfaces = fetch_interfaces().map_err(FactsError::Interfaces)?;
    let own = fetch_addresses().map_err(FactsError::Interfaces)?;
    let addresses = lasting_addresses(&interfaces, &own, container.is_some());
    Ok(Facts {
        os: load_os_facts()?,
        arch: rustix::system::uname().machine().to_string_lossy().into_owned(),
        cpus: load("/sys/devices/system/cpu/online", count_processors)?,
        memory_mib: load("/proc/meminfo", memory_mib)?,
        hostname: load("/proc/sys/kernel/hostname", |text| Some(text.trim_end().to_owned()))?,
        address: default_address(&addresses),
        addresses,
        virtualisation: container.or_else(|| detect_machine(&traces).map(str::to_owned)),
    })
}

fn load_os_facts() -> Result<OsFacts, FactsError> {
    // The second is where distributions put it when /etc is empty.
    let os = |text: &str| Some(load_os(text));
    load("/etc/os-release", os).or_else(|_| load("/usr/lib/os-release", os))
}

fn load<T>(path: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, FactsError> {
    let text = fs::read_to_string(path).map_err(|source| FactsError::Read { path: path.into(), source })?;
    parse(&text).ok_or_else(|| FactsError::Form { path: path.into() })
}

/// The source address of the default route, IPv4 first; without such a route the first lasting address.
fn default_address(lasting: &[IpAddr]) -> Option<IpAddr> {
    or_first(address_by_route(lasting), lasting)
}

fn or_first(by_route: Option<IpAddr>, lasting: &[IpAddr]) -> Option<IpAddr> {
    by_route.or_else(|| lasting.first().copied())
}

fn address_by_route(lasting: &[IpAddr]) -> Option<IpAddr> {
    // Connecting a datagram socket chooses the route and sends nothing. Both are addresses for documentation, which
    // only a default route leads to.
    let v4 = source_address((Ipv4Addr::UNSPECIFIED.into(), 0), (Ipv4Addr::new(203, 0, 113, 1).into(), 9));
    let v6 = || {
        let documentation = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        let source = source_address((Ipv6Addr::UNSPECIFIED.into(), 0), (documentation.into(), 9))?;
        // The kernel may prefer a temporary address as source: then the first lasting one stands for it.
        if lasting.contains(&source) {
            return Some(source);
        }
        lasting.iter().copied().find(IpAddr::is_ipv6)
    };
    v4.or_else(v6)
}

fn source_address(from: (IpAddr, u16), to: (IpAddr, u16)) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    let source = socket.local_addr().ok()?.ip();
    (!source.is_unspecified() && !source.is_loopback()).then_some(source)
}

fn load_traces() -> Traces {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let exists = |path: &str| Path::new(path).exists();
    let dmi = ["product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"]
        .map(|name| text(&format!("/sys/class/dmi/id/{name}")))
        .concat();
    Traces {
        systemd_container: text("/run/systemd/container"),
        container_manager: text("/run/host/container-manager"),
        docker: exists("/.dockerenv"),
        podman: exists("/run/.containerenv"),
        kernel_release: text("/proc/sys/kernel/osrelease"),
        openvz: exists("/proc/vz") && !exists("/proc/bc"),
        dmi,
        hypervisor_type: text("/sys/hypervisor/type"),
        device_tree: text("/proc/device-tree/hypervisor/compatible"),
        cpu_signature: cpu_signature(),
    }
}

/// What the hypervisor says by CPUID, where the processor says that there is one.
#[cfg(target_arch = "x86_64")]
fn cpu_signature() -> Option<[u8; 12]> {
    use std::arch::x86_64::__cpuid;
    const HYPERVISOR_PRESENT: u32 = 1 << 31;
    if __cpuid(1).ecx & HYPERVISOR_PRESENT == 0 {
        return None;
    }
    let leaf = __cpuid(0x4000_0000);
    let mut signature = [0; 12];
    for (bytes, register) in signature.chunks_exact_mut(4).zip([leaf.ebx, leaf.ecx, leaf.edx]) {
        bytes.copy_from_slice(&register.to_le_bytes());
    }
    Some(signature)
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_signature() -> Option<[u8; 12]> {
    None
}
