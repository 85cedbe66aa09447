//! The orchestrator's process.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Fleet, SOON};
use crate::process::{Process, command, tail};
use crate::programs;
use crate::wait::wait_until;

const STOP: Duration = Duration::from_secs(30);

impl Fleet {
    /// Starts `muster serve` and waits until it answers. The very first start is told which commit to trust.
    ///
    /// # Errors
    /// When it ends or does not answer in time; the message has its log.
    pub fn start(&mut self) -> Result<()> {
        let trust = (!self.data().join("anchor").exists()).then(|| self.first.clone());
        self.start_trusting(trust.as_deref())
    }

    /// Starts it as [`Fleet::start`] does, trusting `commit` where no record of a verified one is left.
    ///
    /// # Errors
    /// As [`Fleet::start`].
    pub fn start_trusting(&mut self, commit: Option<&str>) -> Result<()> {
        self.stop()?;
        let mut serve = command(programs::muster()?);
        self.repository.as_operator(&mut serve);
        serve.arg("serve").arg("--repo").arg(self.repository.bare()).arg("--keys").arg(self.keys());
        serve.arg("--data").arg(self.data());
        serve.args(["--listen", &self.listen.to_string(), "--api-listen", &self.api.to_string()]);
        if let Some(bus) = &self.bus {
            serve.args(["--bus", bus]);
        }
        serve.args(&self.arguments);
        if let Some(commit) = commit {
            serve.args(["--trust", commit]);
        }
        let mut process = Process::start("muster serve", serve, &self.folder.join("serve.log"))?;
        let mut ended = false;
        wait_until("the orchestrator to answer", SOON, || {
            ended = !process.is_running();
            ended || self.fetch("fleet").is_ok()
        })
        .with_context(|| tail(&process.output()))?;
        ensure!(!ended, "the orchestrator ended at start:\n{}", tail(&process.output()));
        self.server = Some(process);
        Ok(())
    }

    /// Ends it as an operator would.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            server.stop(STOP)?;
        }
        Ok(())
    }

    /// Kills it at once.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            server.kill()?;
        }
        Ok(())
    }

    /// The process id of the running orchestrator.
    #[must_use]
    pub fn server_id(&self) -> Option<u32> {
        self.server.as_ref().map(Process::id)
    }

    /// What it has logged, over all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("serve.log")).unwrap_or_default()
    }

    /// Another command of `muster` that speaks with this orchestrator, as the operator.
    ///
    /// # Errors
    /// When the program is not built.
    pub fn muster(&self, arguments: &[&str]) -> Result<Command> {
        let mut muster = Command::new(programs::muster()?);
        self.repository.as_operator(&mut muster);
        muster.env("MUSTER_SERVER", self.api_url()).args(arguments);
        if let Some(ca) = &self.ca {
            muster.env("MUSTER_CA", ca);
        }
        Ok(muster)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.kill();
        if std::thread::panicking() {
            eprintln!("--- muster serve\n{}", tail(&self.log()));
        }
    }
}
