//! The demo's orchestrator.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::folders::Folders;
use super::hosts::PATIENCE;
use super::interrupt;
use super::process::Process;

/// Starts `muster serve` on a free port and reads its address from its log.
pub(super) fn start_server(folders: &Folders, trust: &str) -> Result<(Process, String), anyhow::Error> {
    let log = folders.top.join("serve.log");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--trust", trust]);
    command.arg("--repo").arg(&folders.bare).arg("--keys").arg(&folders.keys).arg("--data").arg(&folders.top);
    let mut server = Process::start(&mut command, &log).context("the orchestrator")?;
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let complete = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        if let Some(url) = complete.filter_map(|line| line.trim().strip_prefix("serving on ")).next() {
            return Ok((server, url.to_owned()));
        }
        interrupt::check()?;
        if !server.is_running() || started.elapsed() > PATIENCE {
            bail!("the orchestrator did not start: {}", text.trim());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
