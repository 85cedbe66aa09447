//! The demo's hosts: an agent each, in a sandbox root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::interrupt;
use super::process::Process;

/// How long any one step may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_micros(500);

/// A host and its agent.
#[derive(Debug)]
pub(super) struct DemoHost {
    pub(super) id: &'static str,
    pub(super) environment: &'static str,
    pub(super) root: PathBuf,
    log: PathBuf,
    agent: Process,
}

impl DemoHost {
    /// Starts the agent of `id` below `top`.
    pub(super) fn start(
        program: &Path,
        top: &Path,
        (id, environment): (&'static str, &'static str),
        url: &str,
        fingerprint: &str,
    ) -> Result<Self, anyhow::Error> {
        let root = top.join(id).join("root");
        let state = top.join(id).join("state");
        let log = top.join(id).join("agent.log");
        std::fs::create_dir_all(&root).with_context(|| root.display().to_string())?;
        let mut command = Command::new(program);
        command.args(["run", "--url", url, "--root-fingerprint", fingerprint, "--name", id]);
        command.arg("--root").arg(&root).arg("--state").arg(&state);
        let agent = Process::start(&mut command, &log).with_context(|| format!("the agent of {id}"))?;
        Ok(DemoHost { id, environment, root, log, agent })
    }

    /// The host's file at the absolute path `path`.
    pub(super) fn file(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Fails if the agent has ended.
    pub(super) fn check_running(&mut self) -> Result<(), anyhow::Error> {
        if !self.agent.is_running() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(5).collect();
            bail!("the agent of {} has ended: {}", self.id, tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        Ok(())
    }
}

/// Looks at the disk until each host `holds`, and gives the moments when it did.
pub(super) fn watch_disk(
    hosts: &mut [DemoHost],
    what: &str,
    holds: impl Fn(&DemoHost) -> bool,
) -> Result<Vec<Instant>, anyhow::Error> {
    let started = Instant::now();
    let mut seen: Vec<Option<Instant>> = vec![None; hosts.len()];
    while seen.iter().any(Option::is_none) {
        for (host, seen) in hosts.iter_mut().zip(&mut seen) {
            if seen.is_none() && holds(host) {
                *seen = Some(Instant::now());
            }
        }
        interrupt::check()?;
        if started.elapsed() > PATIENCE {
            for host in hosts.iter_mut() {
                host.check_running()?;
            }
            let missing: Vec<&str> =
                hosts.iter().zip(&seen).filter(|(_, seen)| seen.is_none()).map(|(host, _)| host.id).collect();
            bail!("{what}: not seen on {} within {} s", missing.join(", "), PATIENCE.as_secs());
        }
        std::thread::sleep(LOOK);
    }
    Ok(seen.into_iter().flatten().collect())
}
