//! A whole fleet: a state repository with signed commits, an orchestrator, agents.

mod agent;
mod api;
mod real;
mod server;
mod state_repository;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::port::free_ports;
use crate::process::Process;
use crate::programs;

pub use agent::SandboxAgent;
pub use real::RealFleet;
pub use state_repository::{OPERATOR, StateRepository, allowed_signer, make_key};

/// How long a test waits for an effect that takes well under a second on a quiet machine.
pub const SOON: Duration = Duration::from_secs(60);

/// The `policy/access.yaml` of a fleet in which every signer may do everything.
pub const ACCESS: &str = "rules: [{who: [\"*\"], may: [all]}]\n";

/// The name of the fleet.
pub const NAME: &str = "lab";

/// A fleet's repository, keys and orchestrator. Agents are started apart, on hosts or in sandboxes.
#[derive(Debug)]
pub struct Fleet {
    /// Where its state is kept.
    pub repository: StateRepository,
    folder: PathBuf,
    listen: SocketAddr,
    api: SocketAddr,
    bus: Option<String>,
    agents_bus: Option<String>,
    ca: Option<PathBuf>,
    agents_more: String,
    fingerprint: String,
    first: String,
    server: Option<Process>,
    arguments: Vec<String>,
}

impl Fleet {
    /// Makes keys and a state repository with a first signed commit: two empty environments, `production` and
    /// `staging`. The orchestrator is to listen at `address`, and to speak over the broker `bus` if there is one.
    ///
    /// # Errors
    /// When `muster key generate` or git fails.
    pub fn make(folder: &Path, address: IpAddr, bus: Option<&str>) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let repository = StateRepository::make(folder)?;
        repository.write("muster.yaml", format!("schema: 1\nfleet: {NAME}\n"))?;
        repository.write("policy/allowed_signers", repository.allowed_signer()?)?;
        repository.write("policy/revoked_signers", "")?;
        repository.write("policy/access.yaml", ACCESS)?;
        for environment in ["production", "staging"] {
            repository.write(&format!("environments/{environment}/environment.yaml"), "labels: {}\n")?;
        }
        let first = repository.publish("fleet: Begin")?;
        let mut generate = Command::new(programs::muster()?);
        repository.as_operator(&mut generate);
        generate.args(["key", "generate", "--fleet", NAME]).arg(folder.join("keys"));
        let output = generate.output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "muster key generate: {}", String::from_utf8_lossy(&output.stderr));
        let line = text.lines().find_map(|line| line.strip_prefix("root fingerprint: "));
        let fingerprint = line.with_context(|| format!("no root fingerprint in {text:?}"))?.to_owned();
        let [port] = free_ports(address)?;
        let listen = SocketAddr::new(address, port);
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let [port] = free_ports(loopback)?;
        let api = SocketAddr::new(loopback, port);
        let (bus, agents_bus) = (bus.map(str::to_owned), bus.map(str::to_owned));
        Ok(Self {
            repository,
            folder: folder.to_owned(),
            listen,
            api,
            bus,
            agents_bus,
            ca: None,
            agents_more: String::new(),
            fingerprint,
            first,
            server: None,
            arguments: Vec::new(),
        })
    }

    /// The orchestrator's address for agents.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.listen)
    }

    /// The orchestrator's address for people, on loopback.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}://{}", self.scheme(), self.api)
    }

    fn scheme(&self) -> &'static str {
        if self.ca.is_some() { "https" } else { "http" }
    }

    /// From the next start on the orchestrator is reached by TLS, with a certificate that `ca` signed. `agents` are
    /// further settings of agents that are made from now on. Its own arguments come by [`Fleet::serve_with`].
    pub fn speak_tls(&mut self, ca: &Path, agents: &str) {
        self.ca = Some(ca.to_owned());
        self.agents_more = agents.to_owned();
    }

    /// Where the orchestrator keeps the published tree and what must survive a restart.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where the fleet's keys are.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }

    /// The fingerprint of the first root document, which agents pin.
    #[must_use]
    pub fn root_fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The first commit of the state repository.
    #[must_use]
    pub fn first_commit(&self) -> &str {
        &self.first
    }

    /// Starts `muster serve` with these arguments too, from the next start on.
    pub fn serve_with(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    }

    /// From the next start on the orchestrator speaks over the broker at `orchestrator`, and agents that are made from
    /// now on over the one at `agents`.
    pub fn speak_over(&mut self, orchestrator: &str, agents: &str) {
        self.bus = Some(orchestrator.to_owned());
        self.agents_bus = Some(agents.to_owned());
    }

    /// The settings of an agent that would like to be called `name`, as in `/etc/muster/agent.yaml`.
    #[must_use]
    pub fn agent_settings(&self, name: &str) -> String {
        let bus = self.agents_bus.as_ref().map(|bus| format!("bus: \"{bus}\"\n")).unwrap_or_default();
        let (url, more) = (self.url(), &self.agents_more);
        format!("url: \"{url}\"\nroot_fingerprint: \"{}\"\nname: {name}\n{bus}{more}", self.fingerprint)
    }

    /// Approves the agent that announced itself as `name`: a signed commit with its host file, to which `text`
    /// is added. Gives the commit.
    ///
    /// # Errors
    /// When no such agent shows up.
    pub fn approve(&self, environment: &str, name: &str, text: &str) -> Result<String> {
        let key = self.wait_pending(name)?;
        self.declare(environment, name, &key, text)?;
        self.repository.publish(&format!("hosts: Approve {name}"))
    }

    /// Writes the file of a host with this key, without committing it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn declare(&self, environment: &str, name: &str, key: &str, text: &str) -> Result<()> {
        let path = format!("environments/{environment}/hosts/{name}.yaml");
        self.repository.write(&path, format!("key: \"{key}\"\n{text}"))
    }

    /// Gives `role` to the holders of these public keys, of whom `threshold` must sign, by a ceremony of its own.
    ///
    /// # Errors
    /// When a step of it is refused.
    pub fn give_role(&self, role: &str, threshold: u32, holders: &[PathBuf]) -> Result<()> {
        let (keys, proposal) = (self.keys(), self.folder.join("proposal"));
        let mut begin = self.muster(&["key", "ceremony", "begin", "--role", role, "--threshold"])?;
        begin.arg(threshold.to_string()).arg(&proposal).arg("--keys").arg(&keys);
        for holder in holders {
            begin.arg("--key").arg(holder);
        }
        let mut sign = self.muster(&["key", "ceremony", "sign", "--yes"])?;
        sign.arg(&proposal).arg("--key").arg(keys.join("root.key"));
        let mut finish = self.muster(&["key", "ceremony", "finish"])?;
        finish.arg(&proposal).arg("--keys").arg(&keys);
        for mut step in [begin, sign, finish] {
            let output = step.output()?;
            ensure!(output.status.success(), "{step:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// A file of the status branch.
    #[must_use]
    pub fn status(&self, path: &str) -> Option<String> {
        self.repository.read("status", path)
    }
}
