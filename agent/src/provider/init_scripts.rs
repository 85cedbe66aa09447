//! Service managers that start scripts of `/etc/init.d`: OpenRC and System V init. What starts at boot is read from
//! folders of links, for all services at once; whether one runs only its script can tell.

use super::{openrc, sysv};
use crate::host::{FileKind, HostError, HostPath, Program, Reader};
use std::collections::{BTreeMap, BTreeSet};

const BOOTED: &str = "/run/systemd/system";
/// Where the scripts are.
pub const SCRIPTS: &str = "/etc/init.d";

/// What starts services on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceManager {
    /// systemd is the first process.
    Systemd,
    /// Scripts do.
    Scripts(InitScripts),
}

/// Who starts the scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitScripts {
    /// OpenRC.
    OpenRc,
    /// System V init, or what is like it.
    SysV,
}

/// What is to be done with a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptVerb {
    /// It starts.
    Start,
    /// It stops.
    Stop,
    /// It stops and starts.
    Restart,
    /// It reads its configuration anew.
    Reload,
}

/// Which services start at boot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootLinks {
    /// The runlevels of each service that starts by itself.
    pub levels: BTreeMap<String, Vec<String>>,
    /// Of those that the manager keeps track of, the started ones.
    pub started: BTreeSet<String>,
}

impl ServiceManager {
    /// The one of this host; `None` where none is known.
    ///
    /// # Errors
    /// When the host cannot be looked at.
    pub fn of_host(reader: &mut dyn Reader) -> Result<Option<ServiceManager>, HostError> {
        let mut is_there = |path: &str| match HostPath::new(path) {
            Ok(path) => Ok(reader.meta(&path)?.is_some()),
            Err(_) => Ok::<_, HostError>(false),
        };
        if is_there(BOOTED)? {
            return Ok(Some(ServiceManager::Systemd));
        }
        for sign in openrc::SIGNS {
            if is_there(sign)? {
                return Ok(Some(ServiceManager::Scripts(InitScripts::OpenRc)));
            }
        }
        Ok(is_there(SCRIPTS)?.then_some(ServiceManager::Scripts(InitScripts::SysV)))
    }
}

impl InitScripts {
    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            InitScripts::OpenRc => "OpenRC",
            InitScripts::SysV => "System V init",
        }
    }

    /// Reads which services start at boot.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn load_boot_links(self, reader: &mut dyn Reader) -> Result<BootLinks, HostError> {
        match self {
            InitScripts::OpenRc => openrc::load_boot_links(reader),
            InitScripts::SysV => sysv::load_boot_links(reader),
        }
    }

    /// The program that says by its code 0 that the service runs.
    pub fn status(self, name: &str) -> Program {
        self.program(name, "status")
    }

    /// The program that does it.
    pub fn run(self, verb: ScriptVerb, name: &str) -> Program {
        let word = match verb {
            ScriptVerb::Start => "start",
            ScriptVerb::Stop => "stop",
            ScriptVerb::Restart => "restart",
            ScriptVerb::Reload => "reload",
        };
        self.program(name, word)
    }

    /// Whether the manager itself keeps track of a service with this script.
    pub fn tracks(self, script: &[u8]) -> bool {
        self == InitScripts::OpenRc && openrc::is_own(script)
    }

    /// The program that lets the manager forget that it has started a service that it keeps track of.
    pub fn forget(self, name: &str) -> Program {
        self.program(name, "zap")
    }

    /// The programs that let a service start at boot.
    pub fn enable(self, name: &str, reader: &mut dyn Reader) -> Result<Vec<Program>, HostError> {
        match self {
            InitScripts::OpenRc => Ok(openrc::enable(name)),
            InitScripts::SysV => sysv::enable(name, reader),
        }
    }

    /// The programs that let a service no longer start at boot.
    pub fn disable(self, name: &str, links: &BootLinks, reader: &mut dyn Reader) -> Result<Vec<Program>, HostError> {
        match self {
            InitScripts::OpenRc => Ok(openrc::disable(name, links)),
            InitScripts::SysV => sysv::disable(name, reader),
        }
    }

    fn program(self, name: &str, word: &str) -> Program {
        match self {
            InitScripts::OpenRc => openrc::program(name, word),
            InitScripts::SysV => sysv::program(name, word),
        }
    }
}

/// The path of a service's script.
pub fn script_path(name: &str) -> Option<HostPath> {
    HostPath::new(&format!("{SCRIPTS}/{name}")).ok()
}

/// The names in a folder; none where it is not there.
pub(super) fn names_in(folder: &str, reader: &mut dyn Reader) -> Result<Vec<String>, HostError> {
    let Ok(path) = HostPath::new(folder) else { return Ok(Vec::new()) };
    match reader.meta(&path)? {
        Some(meta) if meta.kind == FileKind::Directory => reader.list(&path),
        _ => Ok(Vec::new()),
    }
}
