//! What the host runs in, in the words of systemd-detect-virt(1).

#[cfg(test)]
mod tests;

/// What the host shows of what it runs in. An empty text means that there is no such thing to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// /run/systemd/container, where systemd notes what its container manager said.
    pub systemd_container: String,
    /// /run/host/container-manager.
    pub container_manager: String,
    /// Whether there is /.dockerenv.
    pub docker: bool,
    /// Whether there is /run/.containerenv.
    pub podman: bool,
    /// /proc/sys/kernel/osrelease.
    pub kernel_release: String,
    /// Whether there is /proc/vz but not /proc/bc, as in an OpenVZ container.
    pub openvz: bool,
    /// The vendor, product, board and BIOS names of /sys/class/dmi/id, one a line.
    pub dmi: String,
    /// /sys/hypervisor/type.
    pub hypervisor_type: String,
    /// /proc/device-tree/hypervisor/compatible.
    pub device_tree: String,
    /// The processor's hypervisor signature (leaf 0x4000_0000); none on bare metal.
    pub cpu_signature: Option<[u8; 12]>,
}

/// What systemd calls the vendors in DMI, in its order: the more special ones stand first.
const DMI_VENDORS: [(&str, &str); 16] = [
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("KubeVirt", "kvm"),
    ("Amazon EC2", "amazon"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Bochs", "bochs"),
    ("Parallels", "parallels"),
    ("BHYVE", "bhyve"),
    ("Hyper-V", "microsoft"),
    ("Apple Virtualization", "apple"),
    ("Google Compute Engine", "google"),
];

/// The signatures that hypervisors give by CPUID.
const CPU_SIGNATURES: [(&[u8; 12], &str); 9] = [
    (b"XenVMMXenVMM", "xen"),
    (b"KVMKVMKVM\0\0\0", "kvm"),
    (b"Linux KVM Hv", "kvm"),
    (b"TCGTCGTCGTCG", "qemu"),
    (b"VMwareVMware", "vmware"),
    (b"Microsoft Hv", "microsoft"),
    (b"bhyve bhyve ", "bhyve"),
    (b"QNXQVMBSQG\0\0", "qnx"),
    (b"ACRNACRNACRN", "acrn"),
];

/// The container that `traces` tell of; none outside one.
pub fn detect_container(traces: &Traces) -> Option<String> {
    for said in [&traces.systemd_container, &traces.container_manager] {
        let said = said.trim();
        if !said.is_empty() {
            return Some(said.to_owned());
        }
    }
    let release = &traces.kernel_release;
    let name = if traces.openvz {
        "openvz"
    } else if release.contains("Microsoft") || release.contains("WSL") {
        "wsl"
    } else if traces.podman {
        "podman"
    } else if traces.docker {
        "docker"
    } else {
        return None;
    };
    Some(name.to_owned())
}

/// The machine that `traces` tell of; none on bare metal.
pub fn detect_machine(traces: &Traces) -> Option<&'static str> {
    let by_dmi = DMI_VENDORS
        .iter()
        .find(|(vendor, _)| traces.dmi.lines().any(|line| line.starts_with(vendor)))
        .map(|(_, name)| *name);
    // VirtualBox and Xen show the processor's signature of KVM or Hyper-V, EC2 and Google that of KVM: the
    // firmware knows better. But "QEMU" in the firmware is also what KVM says.
    match by_dmi {
        Some(name) if name != "qemu" => return Some(name),
        _ => {}
    }
    let by_cpu = traces.cpu_signature.map(|signature| {
        CPU_SIGNATURES.iter().find(|(known, _)| **known == signature).map_or("vm-other", |(_, name)| *name)
    });
    by_cpu
        .or(by_dmi)
        .or_else(|| (traces.hypervisor_type.trim() == "xen").then_some("xen"))
        .or_else(|| machine_of_device_tree(&traces.device_tree))
}

fn machine_of_device_tree(compatible: &str) -> Option<&'static str> {
    match compatible.trim_end_matches('\0') {
        "" => None,
        "linux,kvm" => Some("kvm"),
        text if text.contains("xen") => Some("xen"),
        text if text.contains("vmware") => Some("vmware"),
        _ => Some("vm-other"),
    }
}
