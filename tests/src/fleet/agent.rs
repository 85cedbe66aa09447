//! Agents: as a process that manages a folder, and as a unit on a real host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Fleet;
use crate::lab::{Host, Init};
use crate::process::{Process, command, tail};
use crate::programs;

const STOP: Duration = Duration::from_secs(30);
const UNIT: &str = include_str!("../../../agent/systemd/muster-agent.service");
const OPENRC: &str = include_str!("../../../agent/openrc/muster-agent");
const SCRIPT: &str = "/etc/init.d/muster-agent";
const SYSV: &str = include_str!("../../../agent/sysv/muster-agent");

/// An agent without root that manages the tree below one folder.
#[derive(Debug)]
pub struct SandboxAgent {
    folder: PathBuf,
    process: Option<Process>,
}

impl SandboxAgent {
    /// Makes the folders of an agent that would like to be called `name`, and its settings; starts nothing yet.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn make(fleet: &Fleet, folder: &Path, name: &str) -> Result<Self> {
        let folder = folder.join(name);
        fs::create_dir_all(folder.join("root/etc"))?;
        let (root, state) = (folder.join("root"), folder.join("state"));
        let own = format!("root: {}\nstate: {}\n", root.display(), state.display());
        fs::write(folder.join("agent.yaml"), fleet.agent_settings(name) + &own)?;
        Ok(Self { folder, process: None })
    }

    /// Adds lines to its settings, from the next start on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set(&self, lines: &str) -> Result<()> {
        let path = self.folder.join("agent.yaml");
        Ok(fs::write(&path, fs::read_to_string(&path)? + lines)?)
    }

    /// Starts it, if it does not run.
    ///
    /// # Errors
    /// When the program is not built or cannot be started.
    pub fn start(&mut self) -> Result<()> {
        self.stop()?;
        let mut run = command(programs::agent()?);
        run.args(["run", "--config"]).arg(self.folder.join("agent.yaml")).env("HOME", &self.folder);
        self.process = Some(Process::start("muster-agent", run, &self.folder.join("agent.log"))?);
        Ok(())
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.stop(STOP)?;
        }
        Ok(())
    }

    /// Kills it at once.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// The tree that it manages.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Its own folder: store, journal, originals.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// What it has logged, over all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("agent.log")).unwrap_or_default()
    }

    /// The process id of the running agent.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// `muster-agent` with other arguments and the same settings.
    ///
    /// # Errors
    /// When the program is not built.
    pub fn ask(&self, subcommand: &str) -> Result<Command> {
        let mut ask = Command::new(programs::agent()?);
        ask.arg(subcommand).arg("--config").arg(self.folder.join("agent.yaml"));
        Ok(ask)
    }
}

impl Drop for SandboxAgent {
    fn drop(&mut self) {
        let _ = self.kill();
        if std::thread::panicking() {
            eprintln!("--- muster-agent in {}\n{}", self.folder.display(), tail(&self.log()));
        }
    }
}

impl Fleet {
    /// Installs the agent on a running host as a package would (program, settings, unit or script), and starts it.
    ///
    /// # Errors
    /// When a file cannot be written or it does not start.
    pub fn install_agent(&self, host: &Host) -> Result<()> {
        let program = host.path("/usr/bin/muster-agent");
        fs::copy(programs::agent()?, &program).context("copy the agent")?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        let mut settings = self.agent_settings(host.name());
        if host.init() != Init::Systemd {
            // Nobody tells of their services.
            settings += "sweep_interval: 1s\n";
        }
        host.write_file("/etc/muster/agent.yaml", settings)?;
        fs::set_permissions(host.path("/etc/muster/agent.yaml"), fs::Permissions::from_mode(0o600))?;
        let (path, text, start) = match host.init() {
            Init::Systemd => (
                "/etc/systemd/system/muster-agent.service",
                UNIT,
                "systemctl daemon-reload && systemctl enable --now --quiet muster-agent",
            ),
            Init::OpenRc => (
                SCRIPT,
                OPENRC,
                "chmod 755 /etc/init.d/muster-agent && rc-update add muster-agent default && rc-service muster-agent start",
            ),
            Init::SysV => (
                SCRIPT,
                SYSV,
                "chmod 755 /etc/init.d/muster-agent && update-rc.d muster-agent defaults && service muster-agent start",
            ),
        };
        host.write_file(path, text)?;
        host.exec(start).map(drop)
    }
}
