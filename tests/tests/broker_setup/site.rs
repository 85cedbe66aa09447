//! A broker, a fleet, and who sets the one up for the other.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use muster_tests::broker::{Broker, CONTROL};
use muster_tests::certificates::Authority;
use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::port::free_ports;
use muster_tests::wait::wait_until;
use serde_json::Value;
use tempfile::TempDir;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) struct Site {
    // What runs stands before the folder.
    pub(crate) fleet: Fleet,
    pub(crate) broker: Broker,
    /// Who signs for both, where they speak TLS.
    pub(crate) authority: Option<Authority>,
    folder: TempDir,
}

impl Site {
    /// A broker that knows nothing of the fleet, and a fleet that is not started.
    pub(crate) fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Site { fleet: make_fleet(&folder), broker: Broker::start().unwrap(), authority: None, folder }
    }

    /// A broker with the settings that `muster broker setup` wrote, and the users of the orchestrator and of enrolment.
    pub(crate) fn begin_tls() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fleet = make_fleet(&folder);
        let authority = Authority::make(&folder.path().join("tls")).unwrap();
        let pair = authority.issue("cert", &["localhost"]).unwrap();
        fs::rename(pair.key, folder.path().join("tls/key.pem")).unwrap();
        let [port] = free_ports(LOOPBACK).unwrap();
        let out = folder.path().join("broker");
        let mut setup = fleet.muster(&["broker", "setup", "--broker", "localhost", "--fleet", "lab"]).unwrap();
        setup.arg("--repo").arg(fleet.repository.bare()).arg("--status-key").arg(fleet.keys().join("status.pub"));
        setup.arg("--out").arg(&out).args(["--port", &port.to_string(), "--tls-folder"]).arg(folder.path().join("tls"));
        assert!(setup.status().unwrap().success());
        let socket = SocketAddr::new(LOOPBACK, port);
        let config = fs::read_to_string(out.join("rabbitmq.conf")).unwrap();
        let everywhere = format!("listeners.ssl.default = {port}\n");
        assert!(config.contains(&everywhere), "{config}");
        let config = config.replace(&everywhere, &format!("listeners.ssl.1 = {socket}\n"));
        let broker = Broker::start_configured(socket, &[], &config).unwrap();
        let site = Site { fleet, broker, authority: Some(authority), folder };
        site.broker.import(&fs::read(out.join("definitions.json")).unwrap()).unwrap();
        site
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("broker")
    }

    /// Runs `muster broker setup` with these arguments too; gives what it said.
    pub(crate) fn setup(&self, arguments: &[&str], code: i32) -> String {
        let mut setup =
            self.broker.administer(self.fleet.muster(&["broker", "setup", "--broker", "localhost"]).unwrap());
        if self.authority.is_some() {
            setup.args(["--port", &self.broker.socket().port().to_string()]);
        }
        setup
            .arg("--repo")
            .arg(self.fleet.repository.bare())
            .arg("--status-key")
            .arg(self.fleet.keys().join("status.pub"));
        setup.arg("--out").arg(self.out()).args(["--rabbitmqctl", CONTROL, "--node", &self.broker.node()]);
        let output = setup.args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert_eq!(output.status.code(), Some(code), "{text}");
        if let Ok(files) = fs::read_dir(self.out()) {
            for file in files {
                let mode = file.unwrap().metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
        text
    }

    /// The address of a user that was made, at this broker's port.
    pub(crate) fn url(&self, name: &str) -> String {
        let text = fs::read_to_string(self.out().join(name)).unwrap();
        if self.authority.is_some() {
            return text.trim().to_owned();
        }
        let (user, rest) = text.trim().strip_prefix("amqps://").unwrap().split_once(':').unwrap();
        let (password, place) = rest.split_once('@').unwrap();
        assert_eq!(place, "localhost:5671/lab");
        self.broker.url_of(user, password, "lab")
    }

    /// Starts the orchestrator with its user.
    pub(crate) fn start_fleet(&mut self) {
        let (orchestrator, agents) = (self.url("orchestrator.url"), self.url("enrolment.url"));
        self.fleet.speak_over(&orchestrator, &agents);
        self.fleet.start().unwrap();
        self.fleet.repository.publish("base: Say hello").unwrap();
    }

    /// Starts an agent that knows the user of enrolment.
    pub(crate) fn agent(&self, name: &str) -> SandboxAgent {
        let mut agent = SandboxAgent::make(&self.fleet, self.folder.path(), name).unwrap();
        agent.start().unwrap();
        agent
    }

    /// Waits until the status branch has the host's proof.
    pub(crate) fn wait_enrolled(&self, name: &str) {
        let listed = || self.fleet.repository.git_bare(&["ls-tree", "-r", "--name-only", "status"]).unwrap_or_default();
        wait_until("the proof", SOON, || listed().lines().any(|path| path.ends_with(&format!("/{name}.json.minisig"))))
            .unwrap();
    }

    /// What the broker knows.
    pub(crate) fn definitions(&self) -> Value {
        let exported = self.broker.control(&["export_definitions", "--format", "json", "-"]).unwrap().stdout;
        let start = exported.iter().position(|byte| *byte == b'{').unwrap();
        let mut documents = serde_json::Deserializer::from_slice(&exported[start..]).into_iter();
        let mut definitions: Value = documents.next().unwrap().unwrap();
        // Queues come and go.
        for kind in ["users", "permissions", "topic_permissions", "policies", "vhosts"] {
            let list = definitions[kind].as_array_mut().unwrap();
            list.sort_by_key(ToString::to_string);
        }
        let kept = ["users", "permissions", "topic_permissions", "policies", "vhosts"];
        kept.into_iter().map(|kind| (kind.to_owned(), definitions[kind].clone())).collect()
    }

    /// The users that have a connection.
    pub(crate) fn connected_users(&self) -> Vec<String> {
        let listed = self.broker.control(&["list_connections", "user"]).unwrap().stdout;
        String::from_utf8(listed).unwrap().lines().map(str::to_owned).collect()
    }
}

fn make_fleet(folder: &TempDir) -> Fleet {
    let fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
    fleet.repository.write("applications/base/application.yaml", BASE).unwrap();
    fleet.repository.write("environments/production/environment.yaml", "applications: {base: {}}\n").unwrap();
    fleet
}

const BASE: &str = "resources:\n  files:\n    /etc/motd: {content: \"hello\\n\"}\n";
