//! What may cut a host off from the orchestrator or from its people.

/// Files and folders of network, remote login, firewall, sudo and of the agent itself.
const RISKY: [&str; 21] = [
    "/etc/NetworkManager",
    "/etc/firewalld",
    "/etc/init.d/muster-agent",
    "/etc/iptables",
    "/etc/muster",
    "/etc/muster-agent",
    "/etc/netplan",
    "/etc/network",
    "/etc/nftables.conf",
    "/etc/nftables.d",
    "/etc/resolv.conf",
    "/etc/ssh/sshd_config",
    "/etc/ssh/sshd_config.d",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/sysconfig/network-scripts",
    "/etc/systemd/network",
    "/etc/systemd/resolved.conf",
    "/etc/systemd/resolved.conf.d",
    "/etc/systemd/system/muster-agent.service.d",
    "/etc/ufw",
];

/// Services without which nobody reaches the host.
const SERVICES: [&str; 6] = ["NetworkManager", "firewalld", "networking", "nftables", "systemd-networkd", "ufw"];

/// Whether this path is, or lies in, one of them.
pub(super) fn is_risky_path(path: &str) -> bool {
    RISKY.iter().any(|risky| path.strip_prefix(risky).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Whether this folder is, lies in, or holds one of them.
pub(super) fn reaches_risky_path(folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let holds = |risky: &&str| risky.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    is_risky_path(folder) || RISKY.iter().any(holds)
}

/// Whether this service is one of them.
pub(super) fn is_risky_service(id: &str) -> bool {
    SERVICES.contains(&id.strip_suffix(".service").unwrap_or(id))
}
