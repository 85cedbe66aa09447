//! The cycle on a real repository, without a bus.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod attack;
mod audit;
mod outputs;
mod quarantine;
mod revocation;
mod tokens;
mod witness;

use std::time::Duration;

use minisign::KeyPair;
use muster_schema::envelope::{Signature, join_frame};
use muster_schema::facts::{Facts, OsFacts};
use muster_schema::manifest::{HostIdentity, Manifest};
use muster_schema::message::{Body, FactsBody, Message, Party};
use muster_schema::report::{Applied, Report};
use muster_schema::state::Health;
use muster_schema::{CommitId, HostId, PublicKey};

use super::greet::Greeting;
use super::save::Saved;
use super::{Config, Orchestrator};
use crate::audit::load_entries;
use crate::io::clock;
use crate::io::git::StatusBranch;
use crate::keys;
use crate::test_repository::TestRepository;

/// A fleet of one host, whose only file holds its hostname.
struct Fleet {
    repo: TestRepository,
    orchestrator: Orchestrator,
    pair: KeyPair,
    seq: u64,
}

impl Fleet {
    fn start() -> Self {
        let repo = TestRepository::new();
        let trust = repo.head().to_string().parse().unwrap();
        let keys_dir = repo.path().join("keys");
        keys::generate(&keys_dir, &"test".parse().unwrap(), clock::now(), None).unwrap();
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        let key = format!("key: \"{}\"\n", pair.pk.to_base64());
        repo.write("environments/lab/hosts/web-1.yaml", &key);
        write_revision(&repo, "first");
        std::fs::create_dir(repo.path().join("data")).unwrap();
        let orchestrator = start_orchestrator(&repo, Some(trust));
        Fleet { repo, orchestrator, pair, seq: 0 }
    }

    /// Lets go of everything that is only in memory, and starts anew with what is on disk.
    fn restart(self) -> Self {
        let Fleet { repo, orchestrator, pair, seq } = self;
        drop(orchestrator);
        let orchestrator = start_orchestrator(&repo, None);
        Fleet { repo, orchestrator, pair, seq }
    }

    fn push(&self, text: &str) {
        write_revision(&self.repo, text);
    }

    fn identity(&self) -> HostIdentity {
        let key: PublicKey = self.pair.pk.to_base64().parse().unwrap();
        HostIdentity { id: id(), key }
    }

    /// The host says something.
    fn say(&mut self, body: Body) {
        self.seq += 1;
        let now = clock::now();
        let message = Message {
            fleet: "test".parse().unwrap(),
            from: Party::Host(self.identity()),
            to: Party::Orchestrator,
            id: format!("{:032x}", self.seq),
            seq: self.seq,
            issued: now,
            expires: now.plus(Duration::from_secs(60)),
            in_reply_to: None,
            body,
        };
        let payload = message.to_bytes().unwrap();
        let text = minisign::sign(None, &self.pair.sk, payload.as_slice(), Some("t"), Some("u")).unwrap();
        let frame = join_frame(&Signature::load(text.into_string().as_bytes()).unwrap(), &payload);
        self.orchestrator.take_frames(&[frame]).unwrap();
    }

    /// The host says that it is called `hostname`; gives for how many hosts that made something new.
    fn rename(&mut self, hostname: &str) -> usize {
        let os = OsFacts { family: "debian".into(), id: "debian".into(), version: None, codename: None };
        let facts = Facts {
            os,
            arch: "x86_64".into(),
            cpus: 2,
            memory_mib: 2048,
            hostname: hostname.into(),
            address: None,
            addresses: Vec::new(),
            virtualisation: None,
        };
        self.say(Body::Facts(Box::new(FactsBody { agent: "0.1.0".into(), schema: 1, facts })));
        self.orchestrator.render_for_facts().unwrap().len()
    }

    /// The host says that it has what is published.
    fn report_applied(&mut self) {
        let desired = self.orchestrator.state().fleet().hosts[&id()].desired.clone().unwrap();
        let applied = Applied {
            manifest: desired.manifest,
            content: desired.content,
            epoch: desired.epoch,
            serial: desired.serial,
            revision: desired.changed_at,
        };
        self.say(Body::Report(Box::new(Report {
            applied: Some(applied),
            health: Health::Healthy,
            reason: String::new(),
            message: String::new(),
            counts: Default::default(),
            deviations: Vec::new(),
            exceptions: Vec::new(),
            transitions: Vec::new(),
            rejections: Vec::new(),
            retired: false,
            break_glass: None,
        })));
    }

    fn hold(&self) -> Option<String> {
        self.orchestrator.state().fleet().hosts[&id()].hold.as_ref().map(|hold| hold.reason.clone())
    }

    fn manifest(&self) -> Manifest {
        self.orchestrator.tree().load_host(&id()).unwrap().unwrap().1.unwrap()
    }

    /// Commits the status; gives the commit.
    async fn commit_status(&mut self) -> String {
        self.orchestrator.save_status().unwrap();
        loop {
            let saved = self.orchestrator.writer.saved.recv().await.unwrap();
            let done = matches!(saved, Saved::Committed { .. });
            self.orchestrator.take_saved(saved).unwrap();
            if done {
                let bare = self.repo.bare();
                return self.repo.git(&["--git-dir", bare.to_str().unwrap(), "rev-parse", "refs/heads/status"]);
            }
        }
    }
}

fn start_orchestrator(repo: &TestRepository, trust: Option<CommitId>) -> Orchestrator {
    let keys = keys::load(&repo.path().join("keys"), None).unwrap();
    let branch = StatusBranch::open(&repo.bare(), keys.status.clone(), None).unwrap();
    let config = Config {
        repository: repo.bare(),
        branch: "main".into(),
        data: repo.path().join("data"),
        trust,
        head_life: Duration::from_secs(3600),
        archive: Duration::from_secs(90 * 24 * 60 * 60),
    };
    Orchestrator::start(config, keys, branch).unwrap()
}

fn id() -> HostId {
    "web-1".parse().unwrap()
}

/// Pushes a revision with `text` in the file.
fn write_revision(repo: &TestRepository, text: &str) {
    let content = format!("resources: {{files: {{/etc/x: {{content: \"{text} {{{{ facts.hostname }}}}\"}}}}}}\n");
    repo.write("environments/lab/environment.yaml", &content);
    repo.commit_as("alice", text);
    repo.git(&["push", "-q", "origin", "main"]);
}

#[test]
fn facts_that_go_to_and_fro_hold_the_host_until_its_next_revision() {
    let mut fleet = Fleet::start();
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), []);
    assert_eq!(fleet.hold().as_deref(), Some("WaitingForFacts"));
    assert_eq!([fleet.rename("a"), fleet.rename("b"), fleet.rename("a")], [1, 1, 1]);
    let held = fleet.manifest();
    assert_eq!((fleet.rename("b"), fleet.hold().as_deref()), (0, Some("FactsLoop")));
    assert_eq!((fleet.rename("a"), fleet.hold().as_deref()), (0, Some("FactsLoop")), "it goes on to say so");
    assert_eq!((fleet.rename("c"), fleet.hold().as_deref()), (0, Some("FactsLoop")));
    assert_eq!(fleet.manifest().serial, held.serial, "it keeps what it has");
    fleet.push("second");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), [id()]);
    assert_eq!(fleet.hold(), None);
}

#[tokio::test]
async fn a_manifest_names_the_status_commit_with_the_facts_that_it_came_from() {
    let mut fleet = Fleet::start();
    fleet.orchestrator.reconcile().unwrap();
    fleet.rename("a");
    assert_eq!(fleet.manifest().source.facts_commit, None, "no commit has these facts yet");
    let first = fleet.commit_status().await;
    fleet.push("second");
    fleet.orchestrator.reconcile().unwrap();
    assert_eq!(fleet.manifest().source.facts_commit.unwrap().as_str(), first);
    fleet.rename("b");
    assert_eq!(fleet.manifest().source.facts_commit, None, "newer than the commit");
    let second = fleet.commit_status().await;
    assert_ne!(first, second);
    fleet.push("third");
    fleet.orchestrator.reconcile().unwrap();
    assert_eq!(fleet.manifest().source.facts_commit.unwrap().as_str(), second);
}

#[test]
fn a_host_that_is_to_revert_has_nothing_before_it_is_retired() {
    let mut fleet = Fleet::start();
    let path = "environments/lab/hosts/web-1.yaml";
    let file = std::fs::read_to_string(fleet.repo.work().join(path)).unwrap();
    fleet.repo.write(path, &format!("{file}on_retire: revert\n"));
    fleet.push("second");
    fleet.orchestrator.reconcile().unwrap();
    fleet.rename("a");
    fleet.report_applied();
    std::fs::remove_file(fleet.repo.work().join(path)).unwrap();
    fleet.push("third");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), [id()]);
    assert_eq!(fleet.manifest().resources, []);
    let retired = |fleet: &Fleet| fleet.orchestrator.tree().load_host(&id()).unwrap().unwrap().0.retired;
    assert_eq!((fleet.orchestrator.retire_reverted().unwrap(), retired(&fleet)), (vec![], false), "it is not done");
    fleet.push("fourth");
    assert_eq!(fleet.orchestrator.reconcile().unwrap(), [], "nothing new for it");
    fleet.report_applied();
    assert_eq!((fleet.orchestrator.retire_reverted().unwrap(), retired(&fleet)), (vec![id()], true));
    assert_eq!(fleet.orchestrator.retire_reverted().unwrap(), [], "once");
    let text = fleet.audit_log();
    let retired: Vec<_> = load_entries(&text).into_iter().filter(|entry| entry.code == "Retired").collect();
    assert_eq!(retired.iter().map(|entry| entry.hosts.as_str()).collect::<Vec<_>>(), ["web-1"], "{retired:?}");
}

#[tokio::test]
async fn after_a_start_hosts_that_lack_something_are_hinted_at_at_once_and_silent_ones_too() {
    let mut fleet = Fleet::start();
    fleet.orchestrator.reconcile().unwrap();
    fleet.rename("a");
    let first = Greeting::new(&fleet.orchestrator).next().await;
    assert_eq!(fleet.orchestrator.still_to_greet(first), [id()], "it has not said that it has it");
    fleet.report_applied();
    let mut greeting = Greeting::new(&fleet.orchestrator);
    let first = greeting.next().await;
    assert_eq!(first, [id()]);
    assert_eq!(fleet.orchestrator.still_to_greet(first), [], "it was heard of meanwhile");
    let none = tokio::time::timeout(Duration::from_millis(100), greeting.next()).await;
    assert!(none.is_err(), "once is enough");
    fleet.orchestrator.state().fleet_mut().hosts.get_mut(&id()).unwrap().last_contact = None;
    assert_eq!(fleet.orchestrator.still_to_greet(vec![id()]), [id()], "nobody knows whether it is there");
}
