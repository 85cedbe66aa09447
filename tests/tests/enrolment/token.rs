//! `muster host token`: one machine becomes a host without a person, once.

use std::fs;

use muster_schema::ReceiptCode;
use muster_schema::message::{Body, TokenClaim};
use muster_tests::fleet::{SOON, SandboxAgent};
use muster_tests::wait::wait_until;
use serde_json::Value;

use crate::stage::{FILE, HOST, Stage, motd};

impl Stage {
    /// Makes a token, and gives the line of settings that names its file.
    fn token(&self, name: &str, arguments: &[&str]) -> String {
        let file = self.agent.root().join("../..").join(name);
        let out = file.to_str().unwrap();
        self.muster(&[&["host", "token", "--name", name, "--out", out], arguments].concat());
        format!("token_file: {out}\n")
    }

    fn audit(&self) -> String {
        fs::read_to_string(self.fleet.data().join("audit.log")).unwrap()
    }

    /// Starts an agent with a token that is refused with `code`, which stands in the audit log.
    fn is_refused(&self, agent: &mut SandboxAgent, settings: &str, code: ReceiptCode) {
        let code = code.to_string();
        agent.set(settings).unwrap();
        agent.start().unwrap();
        wait_until(&format!("{code} to be told"), SOON, || agent.log().contains(&code)).unwrap();
        wait_until(&format!("{code} to be written down"), SOON, || self.audit().contains(&code)).unwrap();
        agent.stop().unwrap();
    }
}

async fn a_token_makes_one_host(mut stage: Stage) {
    let repository = &stage.fleet.repository;
    repository.write(FILE, format!("labels: {{role: web}}\n{}", motd("one\n"))).unwrap();
    repository.write("environments/production/hosts/web-2.yaml", "labels: {role: web}\n").unwrap();
    repository.write("environments/production/hosts/db-1.yaml", "labels: {role: db}\n").unwrap();
    repository.publish("hosts: Declare").unwrap();
    let one = stage.token("one", &["--hosts", "role=web"]);
    stage.agent.set(&one).unwrap();
    stage.agent.start().unwrap();
    stage.wait_holds("one\n");
    let host = stage.fleet.wait_host(HOST, "to be enrolled", |host| host["enrolled"] == true).unwrap();
    assert_eq!((host["token"].as_str(), host["key"].as_str()), (Some("one"), Some(&*key_of(&stage))));
    assert!(stage.audit().contains("\"TokenClaimed\""));
    assert!(!fs::read_to_string(stage.pull().join(FILE)).unwrap().contains("key"), "no commit named it");

    // A second machine; one for a host that the token does not give; one whose token was taken back, or is over.
    stage.is_refused(&mut stage.another("web-2"), &one, ReceiptCode::TokenUsed);
    let two = stage.token("two", &["--hosts", "role=web"]);
    stage.is_refused(&mut stage.another("db-1"), &two, ReceiptCode::TokenHostTaken);
    let short = stage.token("short", &["web-2", "--expires", "1s"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    stage.is_refused(&mut stage.another("web-3"), &short, ReceiptCode::TokenExpired);
    stage.pull();
    fs::remove_file(stage.fleet.repository.work().join("enrolment/tokens/two.yaml")).unwrap();
    let commit = stage.fleet.repository.publish("enrolment: Take a token back").unwrap();
    stage.fleet.wait_verified("Verified", &commit).unwrap();
    stage.is_refused(&mut stage.another("web-4"), &two, ReceiptCode::TokenUnknown);

    // What the token signed is of use to the machine's key alone.
    let tokens: Value = stage.fleet.fetch("enrolment/tokens").unwrap();
    let used = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "one").unwrap();
    let claim: TokenClaim = serde_json::from_value(used["used"]["claim"].clone()).unwrap();
    let stolen = stage.another("thief");
    let keys = muster_agent::io::host_keys::HostKeys::load_or_make(&stolen.state().join("keys")).unwrap();
    let thief = stage.thief(std::sync::Arc::new(keys), HOST);
    let facts = muster_agent::io::facts::load_facts().unwrap();
    let (name, recipient) = (HOST.parse().unwrap(), used["used"]["recipient"].as_str().unwrap().to_owned());
    let (agent, token) = ("0".to_owned(), Some(claim));
    let announce = muster_schema::message::Announce { name, recipient, agent, schema: 1, facts, replaces: None, token };
    let refused = thief.ask(Body::Announce(Box::new(announce))).await;
    assert_eq!(refused.unwrap_err().code(), Some(ReceiptCode::TokenInvalid));
    for id in ["web-2", "db-1"] {
        assert!(stage.fleet.fetch(&format!("hosts/{id}")).unwrap()["key"].is_null(), "{id} is no machine");
    }

    // The host's file names the key from then on, and nothing else changes.
    let said = stage.muster(&["host", "approve", HOST]);
    assert!(said.contains("is approved"), "{said}");
    assert!(fs::read_to_string(stage.pull().join(FILE)).unwrap().contains(&key_of(&stage)));
    let named = |host: &Value| host["token"].is_null() && host["key"] == key_of(&stage).as_str();
    stage.fleet.wait_host(HOST, "to be named by its file", named).unwrap();
}

fn key_of(stage: &Stage) -> String {
    stage.keys().public_key().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_one_machine_a_host_once_http() {
    a_token_makes_one_host(Stage::silent_http()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_one_machine_a_host_once_amqp() {
    if let Some(stage) = Stage::silent_amqp() {
        a_token_makes_one_host(stage).await;
    }
}
