//! The first process of a host: systemd, or sysvinit with scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::process::command;

/// What starts a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Init {
    /// systemd, as in the base.
    #[default]
    Systemd,
    /// sysvinit, and Debian's scripts for it.
    SysV,
    /// sysvinit, and OpenRC after it.
    OpenRc,
}

/// That everything has been started.
pub(super) const UP: &str = "/run/lab-up";

/// No consoles to log in at; the power button; an end of the boot that can be seen.
const INITTAB: &str = "\
id:2:initdefault:
si::sysinit:/etc/init.d/rcS
nw::bootwait:/usr/local/sbin/lab-network
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
l6:6:wait:/etc/init.d/rc 6
up:2:wait:/usr/bin/touch /run/lab-up
pf::powerwait:/sbin/shutdown -h now
";

const NETWORK: &str = "#!/bin/sh
. /etc/lab-network
ip address replace $ADDRESS dev host0 && ip link set host0 up && ip route replace default via $GATEWAY
";

impl Init {
    /// Puts it in systemd's place on the disk of a host that is off, from the repository on it, as a person would.
    pub(super) fn install(self, disk: &Path) -> Result<()> {
        let scripts = match self {
            Init::Systemd => return Ok(()),
            Init::SysV => "sysv-rc",
            Init::OpenRc => "openrc",
        };
        // Whatever a package might start ends with this.
        let output = command("unshare")
            .args(["--pid", "--fork", "--kill-child", "chroot"])
            .arg(disk)
            .args(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "--yes", "--no-install-recommends"])
            .args(["install", "sysvinit-core", scripts, "systemd-", "systemd-sysv-"])
            .output()?;
        ensure!(output.status.success(), "install {scripts}: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(disk.join("etc/inittab"), INITTAB)?;
        let network = disk.join("usr/local/sbin/lab-network");
        fs::write(&network, NETWORK)?;
        fs::set_permissions(&network, fs::Permissions::from_mode(0o755)).context("the script of the network")
    }

    /// The signal that tells it that the power button was pressed.
    pub(super) fn halt_signal(self) -> &'static str {
        if self == Init::Systemd { "SIGRTMIN+3" } else { "SIGPWR" }
    }
}
