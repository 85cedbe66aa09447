//! The lab: real Debian hosts, with systemd as PID 1 unless another init is asked for, on a network of the test's own.
//!
//! [`Lab::start`] moves the test's thread into new mount and network namespaces. Everything that the thread
//! starts from then on (broker, orchestrator, hosts) lives in these, sees the same bridge, and is out of
//! reach of everything else; two labs never meet. When the test is over, or killed, the kernel takes the
//! namespaces down, and with them every mount and interface.

mod base;
mod cgroup;
mod host;
mod init;
mod scratch;

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::UnshareFlags;

pub use host::Host;
pub use init::Init;
use scratch::Scratch;

/// The address of the test's side of the bridge: where broker and orchestrator listen for the hosts.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 91, 0, 1);
const BRIDGE: &str = "lab0";

/// A network of the test's own, and the base that its hosts are copies of.
#[derive(Debug)]
pub struct Lab {
    base: PathBuf,
    scratch: Scratch,
    booted: u8,
    init: Init,
    // The namespaces belong to the thread that made them.
    not_send: PhantomData<*const ()>,
}

impl Lab {
    /// Makes the base system if it is not cached (about a minute, once) and enters the lab.
    ///
    /// The calling thread stays in the lab for the rest of its life.
    ///
    /// # Errors
    /// When the base cannot be made or the namespaces are refused.
    pub fn start() -> Result<Self> {
        let cache = base::cache_folder();
        let base = base::load_base(&cache)?;
        let scratch = Scratch::make(&cache)?;
        cgroup::sweep();
        enter_namespaces()?;
        run("ip", &["link", "set", "lo", "up"])?;
        run("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
        run("ip", &["address", "add", &format!("{GATEWAY}/24"), "dev", BRIDGE])?;
        run("ip", &["link", "set", BRIDGE, "up"])?;
        Ok(Self { base, scratch, booted: 0, init: Init::default(), not_send: PhantomData })
    }

    /// From now on hosts are made with this init.
    pub fn set_init(&mut self, init: Init) {
        self.init = init;
    }

    /// Where broker and orchestrator are to listen.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        IpAddr::V4(GATEWAY)
    }

    /// A folder for the test's files, on the disk of the cache; gone with the lab.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// Boots one host and waits until it runs.
    ///
    /// # Errors
    /// When it does not come up; the message ends with its console.
    pub fn boot(&mut self, name: &str) -> Result<Host> {
        let mut host = self.prepare(name)?;
        host.power_on()?;
        host.wait_running()?;
        Ok(host)
    }

    /// Boots several hosts at once.
    ///
    /// # Errors
    /// As [`Lab::boot`].
    pub fn boot_all<const N: usize>(&mut self, names: [&str; N]) -> Result<[Host; N]> {
        let mut hosts = Vec::with_capacity(N);
        for name in names {
            let mut host = self.prepare(name)?;
            host.power_on()?;
            hosts.push(host);
        }
        for host in &mut hosts {
            host.wait_running()?;
        }
        hosts.try_into().ok().context("as many hosts as names")
    }

    /// The disk of a new host that is switched off: what a test wants to be there before the first boot goes
    /// into [`Host::path`].
    ///
    /// # Errors
    /// When its disk cannot be made.
    pub fn prepare(&mut self, name: &str) -> Result<Host> {
        self.booted += 1;
        let address = Ipv4Addr::new(10, 91, 0, 10 + self.booted);
        Host::make(name, self.init, address, &self.base, self.scratch.path())
    }
}

/// New mount and network namespaces for this thread and all that it starts.
fn enter_namespaces() -> Result<()> {
    let flags = UnshareFlags::NEWNS | UnshareFlags::NEWNET;
    // SAFETY: the flags do not unshare the table of open files, which is what could invalidate descriptors.
    #[expect(unsafe_code)]
    unsafe { rustix::thread::unshare_unsafe(flags) }.context("namespaces for the lab")?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).context("keep mounts to the lab")?;
    // systemd-nspawn keeps locks and sockets there; the machine's own stay untouched.
    mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), Some(c"mode=755")).context("a /run of the lab's own")
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output().with_context(|| format!("run {program}"))?;
    ensure!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
