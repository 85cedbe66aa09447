//! `muster host revoke`: at once, and nothing that is on the host changes any more.

use std::fs;
use std::time::Duration;

use muster_schema::ReceiptCode;
use muster_schema::message::{Body, HeadRequest};
use muster_tests::fleet::SOON;
use muster_tests::wait::{stays, wait_until};

use crate::stage::{FILE, HOST, Stage, motd};

async fn a_revoked_key(mut stage: Stage) {
    stage.approve("one\n");
    let stolen = stage.keys();
    let thief = stage.thief(stolen.clone(), HOST);
    let head = format!("hosts/{HOST}/head.json");
    assert!(thief.fetch(&head, 1 << 16).await.unwrap().is_some(), "it is the host's own key");
    assert!(stage.fleet.fetch(&format!("hosts/{HOST}/v1/facts")).is_ok());

    let said = stage.muster(&["host", "revoke", HOST, "--yes"]);
    assert!(said.contains("taken back"), "{said}");
    stage.fleet.wait_host(HOST, "to have no key", |host| host["key"].is_null()).unwrap();
    let revoked = Some(ReceiptCode::KeyRevoked);
    assert_eq!(thief.fetch(&head, 1 << 16).await.unwrap_err().code(), revoked);
    let nonce = "5e".repeat(16);
    for body in [Body::HeadRequest(HeadRequest { nonce }), thief.presence()] {
        assert_eq!(thief.ask(body).await.unwrap_err().code(), revoked);
    }
    let live = stage.run(&["query", HOST, "facts"]);
    assert_eq!(live.status.code(), Some(1), "a revoked host is not asked");

    // What comes after is not for it; it goes on with what it had, and nobody is asked to approve it again.
    stage.pull();
    stage.fleet.repository.write(FILE, motd("two\n")).unwrap();
    stage.fleet.repository.publish("web-1: Say two").unwrap();
    wait_until("the agent to hear of it", SOON, || stage.agent.log().contains("KeyRevoked")).unwrap();
    stays("the file of before", Duration::from_secs(2), || stage.holds("one\n")).unwrap();
    assert_eq!(stage.fleet.fetch("enrolment").unwrap()["total"], 0);
    let audit = fs::read_to_string(stage.fleet.data().join("audit.log")).unwrap();
    assert!(audit.contains("\"Revoked\"") && audit.contains("\"KeyRevoked\""), "{audit}");

    // Installed anew, with new keys, it is approved like a new one.
    stage.agent.stop().unwrap();
    fs::remove_dir_all(stage.agent.state()).unwrap();
    stage.agent.start().unwrap();
    stage.fleet.wait_pending(HOST).unwrap();
    stage.muster(&["host", "approve", HOST, "--yes"]);
    stage.wait_holds("two\n");
    assert_ne!(stage.keys().public_key(), stolen.public_key());
    let again = stage.thief(stolen, HOST).fetch(&head, 1 << 16).await;
    assert_eq!(again.unwrap_err().code(), revoked, "the old key stays out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_once_http() {
    a_revoked_key(Stage::http()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_once_amqp() {
    if let Some(stage) = Stage::amqp() {
        a_revoked_key(stage).await;
    }
}
