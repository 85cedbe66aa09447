//! A fleet of one agent with one file.

use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use muster_agent::io::host_keys::HostKeys;
use muster_agent::io::http::HttpTransport;
use muster_agent::io::messenger::Messenger;
use muster_schema::PublicKey;
use muster_tests::broker::Broker;
use muster_tests::fleet::{Fleet, NAME, SOON, SandboxAgent};
use muster_tests::need;
use muster_tests::wait::wait_until;
use tempfile::TempDir;

pub(crate) const HOST: &str = "web-1";
pub(crate) const FILE: &str = "environments/production/hosts/web-1.yaml";

/// What agents speak over. The fields are dropped in this order.
pub(crate) struct Stage {
    pub(crate) agent: SandboxAgent,
    pub(crate) fleet: Fleet,
    broker: Option<Broker>,
    folder: TempDir,
}

impl Stage {
    /// A fleet over HTTP, with an agent that runs and that nobody approved.
    pub(crate) fn http() -> Stage {
        Stage::begin(None, true)
    }

    /// As [`Stage::http`], over a broker; nothing where this machine has none.
    pub(crate) fn amqp() -> Option<Stage> {
        need::has(need::BROKER).then(|| Stage::begin(Some(Broker::start().unwrap()), true))
    }

    /// As [`Stage::http`], with an agent that does not run yet.
    pub(crate) fn silent_http() -> Stage {
        Stage::begin(None, false)
    }

    /// As [`Stage::amqp`], with an agent that does not run yet.
    pub(crate) fn silent_amqp() -> Option<Stage> {
        need::has(need::BROKER).then(|| Stage::begin(Some(Broker::start().unwrap()), false))
    }

    /// Another agent, which does not run yet.
    pub(crate) fn another(&self, name: &str) -> SandboxAgent {
        SandboxAgent::make(&self.fleet, self.folder.path(), name).unwrap()
    }

    fn begin(broker: Option<Broker>, starts: bool) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let bus = broker.as_ref().map(Broker::url);
        let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), bus.as_deref()).unwrap();
        fleet.start().unwrap();
        let mut agent = SandboxAgent::make(&fleet, folder.path(), HOST).unwrap();
        if starts {
            agent.start().unwrap();
        }
        Stage { agent, fleet, broker, folder }
    }

    /// Approves the agent and has it write a file with `text`.
    pub(crate) fn approve(&self, text: &str) {
        let commit = self.fleet.approve("production", HOST, &motd(text)).unwrap();
        self.fleet.wait_synced(HOST, &commit).unwrap();
        assert!(self.holds(text));
    }

    /// Whether the host's file has this text.
    pub(crate) fn holds(&self, text: &str) -> bool {
        fs::read_to_string(self.agent.root().join("etc/motd")).is_ok_and(|found| found == text)
    }

    pub(crate) fn wait_holds(&self, text: &str) {
        wait_until(&format!("the file to hold {text:?}"), SOON, || self.holds(text)).unwrap();
    }

    /// The operator's clone, with all that was pushed.
    pub(crate) fn pull(&self) -> PathBuf {
        self.fleet.repository.git(&["pull", "--quiet", "--ff-only", "origin", "main"]).unwrap();
        self.fleet.repository.work()
    }

    /// Runs `muster` in the operator's clone.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.fleet.muster(arguments).unwrap().current_dir(self.pull()).output().unwrap()
    }

    /// As [`Stage::run`]; it has to succeed, and what it says is given.
    pub(crate) fn muster(&self, arguments: &[&str]) -> String {
        said(arguments, self.run(arguments))
    }

    /// As [`Stage::muster`], with a file as standard input.
    pub(crate) fn muster_with(&self, arguments: &[&str], input: &Path) -> String {
        let mut command = self.fleet.muster(arguments).unwrap();
        said(arguments, command.current_dir(self.pull()).stdin(File::open(input).unwrap()).output().unwrap())
    }

    /// Whose consumers read each queue of hosts: the queue, and how many. Nothing where there is no broker.
    pub(crate) fn host_queues(&self) -> Vec<String> {
        let Some(broker) = &self.broker else { return Vec::new() };
        let queues = broker.control(&["list_queues", "-p", "muster", "name", "consumers"]).unwrap();
        let queues = String::from_utf8(queues.stdout).unwrap();
        queues.lines().filter(|line| line.contains(HOST)).map(|line| line.replace('\t', " ")).collect()
    }

    /// The keys that the agent has now.
    pub(crate) fn keys(&self) -> Arc<HostKeys> {
        Arc::new(HostKeys::load(&self.agent.state().join("keys")).unwrap())
    }

    /// Somebody who has a host's keys and speaks over HTTP as `id`.
    pub(crate) fn thief(&self, keys: Arc<HostKeys>, id: &str) -> Messenger {
        let http = HttpTransport::new(&self.fleet.url()).unwrap();
        let fresh = fs::read_to_string(self.fleet.keys().join("fresh.pub")).unwrap();
        let fresh: PublicKey = fresh.lines().last().unwrap().parse().unwrap();
        Messenger::new(Arc::new(http), keys, NAME.parse().unwrap(), id.parse().unwrap(), vec![fresh])
    }
}

fn said(arguments: &[&str], output: Output) -> String {
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A host file's lines for one file with `text`.
pub(crate) fn motd(text: &str) -> String {
    format!("resources: {{files: {{/etc/motd: {{content: {}}}}}}}\n", serde_json::to_string(text).unwrap())
}
