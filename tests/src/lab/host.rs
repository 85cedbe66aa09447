//! One real host.

use std::ffi::CString;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, kill_process};

use super::cgroup::Cgroups;
use super::init::{Init, UP};
use super::{BRIDGE, GATEWAY};
use crate::process::{Process, command, tail};
use crate::wait::{wait_for, wait_until};

/// From power on to all units started: 1 s alone, far more beside a build.
const BOOT: Duration = Duration::from_secs(120);
const HALT: Duration = Duration::from_secs(60);
/// How nspawn ends when its host reboots and somebody else is to start it again.
const REBOOTS: i32 = 133;

/// A machine with an init of its own as PID 1 on a copy-on-write disk; switched off and its disk gone when dropped.
#[derive(Debug)]
pub struct Host {
    name: String,
    machine: String,
    init: Init,
    address: Ipv4Addr,
    // Mounted on first use of the disk, unmounted on drop.
    disk: PathBuf,
    console: PathBuf,
    power: Option<Power>,
}

#[derive(Debug)]
struct Power {
    /// `unshare`, whose end is the end of nspawn and of all that nspawn runs.
    holder: Process,
    nspawn: u32,
    /// The host's PID 1, by its number outside.
    leader: u32,
    _cgroups: Cgroups,
}

impl Host {
    /// Makes the disk of a host: a writable layer over the base.
    pub(super) fn make(name: &str, init: Init, address: Ipv4Addr, base: &Path, scratch: &Path) -> Result<Self> {
        let folder = scratch.join(name);
        let disk = folder.join("root");
        fs::create_dir_all(&disk)?;
        mount_overlay(base, &folder, &disk).with_context(|| format!("the disk of {name}"))?;
        fs::write(disk.join("etc/hostname"), format!("{name}\n"))?;
        fs::write(disk.join("etc/lab-network"), format!("ADDRESS={address}/24\nGATEWAY={GATEWAY}\n"))?;
        init.install(&disk).with_context(|| format!("the init of {name}"))?;
        let machine = format!("{}-{name}", std::process::id());
        let console = folder.join("console.log");
        Ok(Self { name: name.to_owned(), machine, init, address, disk, console, power: None })
    }

    /// Its name, which is its hostname too.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What starts it.
    #[must_use]
    pub fn init(&self) -> Init {
        self.init
    }

    /// Its address on the lab's bridge.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// A path of the host's disk as the test sees it, for reading, writing and watching from outside.
    ///
    /// What the host mounts over its disk (`/run`, `/tmp`, `/proc`) is not there; use [`Host::exec`] for it.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.disk.join(path.trim_start_matches('/'))
    }

    /// Reads a file of the host's disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_file(&self, path: &str) -> Result<String> {
        let bytes = fs::read(self.path(path)).with_context(|| format!("read {}:{path}", self.name))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file of the host's disk, making its folders.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_file(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let place = self.path(path);
        let folder = place.parent().context("a file has a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&place, content).with_context(|| format!("write {}:{path}", self.name))
    }

    /// Runs a program inside the host, as root, and gives what came of it.
    ///
    /// # Errors
    /// When the host is off or the program cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        let leader = self.leader()?.to_string();
        command("nsenter")
            .args(["--target", &leader, "--all", "--wd=/", "env", "--ignore-environment"])
            .args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"])
            .args(arguments)
            .output()
            .with_context(|| format!("run {arguments:?} on {}", self.name))
    }

    /// Runs a shell line inside the host and gives its standard output, without the last newline.
    ///
    /// # Errors
    /// When it cannot be run or fails; the message has its standard error.
    pub fn exec(&self, line: &str) -> Result<String> {
        let output = self.run(&["sh", "-c", line])?;
        let out = String::from_utf8_lossy(&output.stdout);
        let err = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: `{line}`: {}: {out}{err}", self.name, output.status);
        Ok(out.trim_end_matches('\n').to_owned())
    }

    /// Whether a shell line inside the host ends with success.
    #[must_use]
    pub fn holds(&self, line: &str) -> bool {
        self.run(&["sh", "-c", line]).is_ok_and(|output| output.status.success())
    }

    /// Switches it on; [`Host::wait_running`] waits until it is up.
    ///
    /// # Errors
    /// When nspawn cannot be started.
    pub fn power_on(&mut self) -> Result<()> {
        ensure!(self.power.is_none(), "{} is on already", self.name);
        let cgroups = Cgroups::make(&self.machine);
        // Into the groups first. Then a process namespace of which nspawn is the first: whatever kills the
        // holder, the kernel kills nspawn and the host (the host alone would outlive a killed nspawn).
        let enter = "while [ \"$1\" != -- ]; do echo $$ >\"$1\" || exit 1; shift; done; shift; exec \"$@\"";
        let mut holder = command("sh");
        holder.args(["-c", enter, "sh"]).args(cgroups.entries()).arg("--");
        holder.args(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "systemd-nspawn", "--directory"]);
        holder.arg(&self.disk).args(["--machine", &self.machine]).arg(format!("--hostname={}", self.name)).args([
            "--boot",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            // A real host may ask the kernel who changes its files.
            "--system-call-filter=fanotify_init fanotify_mark name_to_handle_at",
            &format!("--network-bridge={BRIDGE}"),
            &format!("--kill-signal={}", self.init.halt_signal()),
        ]);
        let holder = Process::start(&format!("host {}", self.name), holder, &self.console)?;
        let (nspawn, leader) = wait_for("PID 1 of the host", BOOT, || find_leader(holder.id()))
            .with_context(|| format!("{}:\n{}", self.name, tail(&holder.output())))?;
        self.power = Some(Power { holder, nspawn, leader, _cgroups: cgroups });
        Ok(())
    }

    /// Waits until everything has been started.
    ///
    /// # Errors
    /// When it does not in time or a unit failed; the message ends with the console.
    pub fn wait_running(&mut self) -> Result<()> {
        let console = || fs::read_to_string(&self.console).map(|text| tail(&text)).unwrap_or_default();
        if self.init != Init::Systemd {
            let up = wait_until("the host to run", BOOT, || self.holds(&format!("test -e {UP}")));
            return up.with_context(|| format!("{}:\n{}", self.name, console()));
        }
        let mut state = String::new();
        let up = wait_until("the host to run", BOOT, || {
            let output = self.run(&["systemctl", "is-system-running"]);
            state = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
            matches!(state.as_str(), "running" | "degraded")
        });
        up.with_context(|| format!("{} is `{state}`:\n{}", self.name, console()))?;
        if state == "degraded" {
            bail!("{}: {}\n{}", self.name, self.exec("systemctl --failed --no-legend")?, console());
        }
        Ok(())
    }

    /// Shuts it down as its power button would; its disk stays.
    ///
    /// # Errors
    /// When it does not end.
    pub fn power_off(&mut self) -> Result<()> {
        if let Some(mut power) = self.power.take() {
            let nspawn = i32::try_from(power.nspawn).ok().and_then(Pid::from_raw).context("a process id")?;
            kill_process(nspawn, Signal::TERM)?;
            power.holder.wait(HALT)?;
        }
        Ok(())
    }

    /// Pulls the plug: every process of the host is gone at once, what it wrote stays.
    ///
    /// # Errors
    /// When its processes cannot be waited for.
    pub fn power_cut(&mut self) -> Result<()> {
        if let Some(mut power) = self.power.take() {
            power.holder.kill()?;
            // Its control groups, dropped with it, wait for the last process.
        }
        Ok(())
    }

    /// Shuts it down and starts it again.
    ///
    /// # Errors
    /// As [`Host::power_off`] and [`Host::wait_running`].
    pub fn reboot(&mut self) -> Result<()> {
        self.power_off()?;
        self.power_on()?;
        self.wait_running()
    }

    /// Waits until the host has ended because it reboots, and comes up again.
    ///
    /// # Errors
    /// When it does not end, or ends otherwise; as [`Host::wait_running`].
    pub fn wait_rebooted(&mut self) -> Result<()> {
        let mut power = self.power.take().with_context(|| format!("{} is off", self.name))?;
        let status = power.holder.wait(BOOT)?;
        ensure!(status.code() == Some(REBOOTS), "{} ended with {status}, which is no reboot", self.name);
        drop(power);
        self.power_on()?;
        self.wait_running()
    }

    fn leader(&self) -> Result<u32> {
        Ok(self.power.as_ref().with_context(|| format!("{} is off", self.name))?.leader)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(journal) = self.exec(match self.init {
                Init::Systemd => "journalctl --no-pager --quiet --lines 60 --unit muster-agent",
                Init::SysV | Init::OpenRc => "tail --lines 60 /var/log/muster-agent.log",
            })
        {
            eprintln!("--- muster-agent on {}\n{journal}", self.name);
        }
        let _ = self.power_cut();
        let _ = unmount(&self.disk, UnmountFlags::DETACH);
    }
}

/// The writable layer is on disk where that can carry one, else in memory (an overlay cannot lie on an
/// overlay, as in a container). It is volatile where the kernel has that: nothing is flushed to the machine's
/// disk, which a host does not outlive anyway. Else its end waits for all that the machine has to write.
fn mount_overlay(base: &Path, folder: &Path, disk: &Path) -> Result<()> {
    let layer = folder.join("layer");
    fs::create_dir_all(&layer)?;
    let attempt = |last: &[u8]| -> Result<()> {
        let (upper, work) = (layer.join("upper"), layer.join("work"));
        fs::create_dir_all(&upper)?;
        fs::create_dir_all(&work)?;
        let mut options = Vec::new();
        for (name, path) in [("lowerdir=", base), (",upperdir=", &upper), (",workdir=", &work)] {
            options.extend_from_slice(name.as_bytes());
            options.extend_from_slice(path.as_os_str().as_bytes());
        }
        options.extend_from_slice(last);
        mount("overlay", disk, "overlay", MountFlags::empty(), Some(CString::new(options)?.as_c_str()))?;
        Ok(())
    };
    if attempt(b",volatile").or_else(|_| attempt(b"")).is_ok() {
        return Ok(());
    }
    mount("tmpfs", &layer, "tmpfs", MountFlags::empty(), Some(c"mode=755"))?;
    attempt(b"")
}

/// nspawn below its holder, and below nspawn the host's PID 1: number 1 in a process namespace of its own,
/// inside that of nspawn, inside ours.
fn find_leader(holder: u32) -> Option<(u32, u32)> {
    let nspawn = *children(holder).first()?;
    let leader = children(nspawn).into_iter().find(|id| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        numbers.split_whitespace().count() == 3 && numbers.split_whitespace().last() == Some("1")
    })?;
    Some((nspawn, leader))
}

fn children(id: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}
