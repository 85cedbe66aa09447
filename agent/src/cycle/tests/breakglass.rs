//! People give the host a manifest while the orchestrator gives none.

use super::harness::Agent;
use crate::io::clock;
use crate::rest::Answer;
use crate::rest::breakglass::{APPLY_PATH, CHALLENGE_PATH};
use crate::test_orchestrator::TestKey;
use muster_schema::breakglass::{BLOB_FOLDER, Challenge, HEAD_FILE, MANIFEST_FILE};
use muster_schema::digest::Sha256Digest;
use muster_schema::head::Head;
use muster_schema::manifest::Manifest;
use muster_schema::root::{Role, Root};
use muster_schema::state::Health;
use serde_json::{Value, json};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Three people; two of them must sign.
pub(super) struct People {
    pub(super) keys: [TestKey; 3],
}

/// What is signed, and by whom; an attack changes it.
pub(super) struct Bundle {
    pub(super) head: Head,
    pub(super) manifest: Manifest,
    pub(super) signers: [Vec<usize>; 2],
    pub(super) blobs: Vec<Vec<u8>>,
}

impl People {
    /// The role is given by root document `version`, the next one.
    pub(super) async fn begin(agent: &mut Agent, version: u64) -> People {
        let people = People { keys: [TestKey::new(), TestKey::new(), TestKey::new()] };
        let root = people.root(agent, version);
        agent.orchestrator.put_root(&root, version, &[&agent.orchestrator.root_key]);
        agent.restart().await;
        while agent.post(CHALLENGE_PATH).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        people
    }

    pub(super) fn root(&self, agent: &Agent, version: u64) -> Root {
        let keys = self.keys.iter().map(TestKey::public).collect();
        let mut root = agent.orchestrator.root(version, 1);
        root.roles.breakglass = Role { threshold: 2, keys };
        root
    }

    /// A good bundle with a new `/etc/motd`.
    pub(super) fn bundle(&self, agent: &Agent, challenge: &Challenge, text: &str) -> Bundle {
        let content = agent.orchestrator.blob(text);
        let now = clock::now();
        let serial = now.0.max(challenge.serial + 1);
        let manifest = agent.orchestrator.manifest(serial, &json!({"files/etc/motd": {"content": content}}));
        let head = serde_json::from_value(json!({
            "type": "head", "fleet": challenge.fleet, "host": challenge.host, "epoch": 1, "serial": serial,
            "manifest": "0".repeat(64), "revision": "2".repeat(40), "issued": now,
            "expires": now.plus(Duration::from_secs(3600)), "nonce": challenge.nonce,
        }));
        let blobs = vec![text.as_bytes().to_vec()];
        Bundle { head: head.unwrap(), manifest, signers: [vec![0, 1], vec![0, 1]], blobs }
    }

    /// Writes it down, with the digest of its manifest in its head.
    pub(super) fn write(&self, bundle: &Bundle) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let manifest = serde_json::to_vec(&bundle.manifest).unwrap();
        let head = Head { manifest: Sha256Digest::of(&manifest), ..bundle.head.clone() };
        let head = serde_json::to_vec(&head).unwrap();
        for ((name, bytes), signers) in [(HEAD_FILE, head), (MANIFEST_FILE, manifest)].iter().zip(&bundle.signers) {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            for signer in signers {
                sign(folder.path(), name, &self.keys[*signer]);
            }
        }
        std::fs::create_dir(folder.path().join(BLOB_FOLDER)).unwrap();
        for blob in &bundle.blobs {
            std::fs::write(folder.path().join(BLOB_FOLDER).join(Sha256Digest::of(blob).to_string()), blob).unwrap();
        }
        folder
    }
}

/// Puts the signature by `key` beside a file.
pub(super) fn sign(folder: &Path, name: &str, key: &TestKey) {
    let signature = key.sign(&std::fs::read(folder.join(name)).unwrap());
    std::fs::write(folder.join(format!("{name}.{}.minisig", key.public().id())), signature.text()).unwrap();
}

pub(super) async fn challenge(agent: &Agent) -> Challenge {
    let answer = agent.post(CHALLENGE_PATH).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

pub(super) async fn apply(agent: &Agent, folder: &Path) -> Answer {
    agent.post(&format!("{APPLY_PATH}{}", hex::encode(folder.as_os_str().as_bytes()))).await
}

pub(super) fn code(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["code"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

#[tokio::test]
async fn what_people_signed_is_in_force_until_the_orchestrator_goes_on() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("broken");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("broken")).await;
    let people = People::begin(&mut agent, 2).await;
    agent.orchestrator.set_silent(true);
    let bundle = people.bundle(&agent, &challenge(&agent).await, "mended");
    let answer = apply(&agent, people.write(&bundle).path()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    agent.wait_for("etc/motd", Some("mended")).await;
    // It is enforced, over a restart too.
    agent.restart().await;
    agent.write("etc/motd", "drift");
    agent.wait_for("etc/motd", Some("mended")).await;
    agent.orchestrator.set_silent(false);
    let keys: Vec<_> = people.keys[..2].iter().map(TestKey::public).collect();
    agent
        .wait_for_report(|report| {
            let said = report.break_glass.as_ref().is_some_and(|said| said.signers == keys);
            said && (report.health, report.reason.as_str()) == (Health::Degraded, "BreakGlass")
        })
        .await;
    // The orchestrator's head of before is older, and refused.
    agent.wait_for_rejection("HeadOlder").await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("mended"));
    let content = agent.orchestrator.blob("right");
    let next = agent.orchestrator.manifest(bundle.head.serial + 1, &json!({"files/etc/motd": {"content": content}}));
    agent.orchestrator.set_head(agent.orchestrator.lay_down(&next));
    agent.wait_for("etc/motd", Some("right")).await;
    let serial = next.serial;
    agent
        .wait_for_report(|report| {
            let applied = report.applied.as_ref().is_some_and(|applied| applied.serial == serial);
            applied && report.break_glass.is_none() && report.health == Health::Healthy
        })
        .await;
    agent.end().await;
}

#[tokio::test]
async fn a_root_document_that_the_bundle_brings_is_followed() {
    let mut agent = Agent::begin().await;
    agent.orchestrator.publish(&json!({}));
    let people = People::begin(&mut agent, 2).await;
    agent.orchestrator.set_silent(true);
    // Exchanged while the orchestrator was away: the third person has left, another has come.
    let next = People { keys: [TestKey::new(), TestKey::new(), TestKey::new()] };
    let challenge = challenge(&agent).await;
    let refused = apply(&agent, next.write(&next.bundle(&agent, &challenge, "theirs")).path()).await;
    assert_eq!(code(&refused), "HeadSignature");
    let folder = next.write(&next.bundle(&agent, &challenge, "theirs"));
    let document = serde_json::to_vec(&next.root(&agent, 3)).unwrap();
    std::fs::write(folder.path().join("3.root.json"), document).unwrap();
    sign(folder.path(), "3.root.json", &agent.orchestrator.root_key);
    assert_eq!(apply(&agent, folder.path()).await.status, 200);
    agent.wait_for("etc/motd", Some("theirs")).await;
    agent.restart().await;
    let again = self::challenge(&agent).await;
    let old = apply(&agent, people.write(&people.bundle(&agent, &again, "old")).path()).await;
    assert_eq!(code(&old), "HeadSignature");
    agent.end().await;
}

#[tokio::test]
async fn without_the_role_there_is_no_challenge_and_nothing_is_taken() {
    let mut agent = Agent::begin().await;
    let content = agent.orchestrator.blob("good");
    agent.orchestrator.publish(&json!({"files/etc/motd": {"content": content}}));
    agent.wait_for("etc/motd", Some("good")).await;
    let answer = agent.post(CHALLENGE_PATH).await;
    assert_eq!((answer.status, code(&answer).as_str()), (422, "BreakGlassNoRole"));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(code(&apply(&agent, empty.path()).await), "BreakGlassNoRole");
    agent.wait_for_rejection("BreakGlassNoRole").await;
    agent.end().await;
}
