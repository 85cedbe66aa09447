//! Secrets that are not for this host, or not of the form that secrets have.

use super::super::harness::Agent;
use super::super::secrets::{encrypted, file, holders};
use muster_schema::report::Report;
use serde_json::json;
use std::path::PathBuf;

#[tokio::test]
async fn a42_a_secret_that_this_host_cannot_read() {
    let mut agent = Agent::begin().await;
    let secret = "hunter2hunter2";
    agent.orchestrator.publish(&json!({"files/etc/app": file(&agent, &encrypted(&agent, secret), json!({}))}));
    agent.wait_for("etc/app", Some("password=hunter2hunter2")).await;
    let next = "other-secret-value";
    let good = encrypted(&agent, next);
    let header_end = good.windows(4).position(|window| window == b"\n---").unwrap() + 1;
    let with = |stanza: &str| [&good[..header_end], stanza.as_bytes(), &good[header_end..]].concat();
    let stranger = age::x25519::Identity::generate().to_public();
    let table = [
        (age::encrypt(&stranger, next.as_bytes()).unwrap(), "SecretForOthers", "not encrypted to this host"),
        (good[..good.len() - 5].to_vec(), "SecretMalformed", "is damaged"),
        (with("-> scrypt c2FsdA 22\nYWJj\n"), "SecretMalformed", "'scrypt'"),
        (with("-> yubikey abc\nYWJj\n"), "SecretMalformed", "'yubikey'"),
    ];
    for (ciphertext, code, message) in table {
        let motd = json!({"content": agent.orchestrator.blob("evil")});
        let evil = json!({"files/etc/app": file(&agent, &ciphertext, json!({})), "files/etc/motd": motd});
        agent.orchestrator.publish(&evil);
        let refused = |report: &Report| {
            report.rejections.iter().any(|found| found.code == code && found.message.contains(message))
        };
        agent.wait_for_report(refused).await;
        assert_eq!(agent.read("etc/app").as_deref(), Some("password=hunter2hunter2"), "{code}");
        assert_eq!(agent.read("etc/motd"), None, "{code}: nothing of it is applied");
        assert_eq!(holders(agent.state(), next), Vec::<PathBuf>::new(), "{code}");
    }
    agent.orchestrator.publish(&json!({"files/etc/app": file(&agent, &good, json!({}))}));
    agent.wait_for("etc/app", Some("password=other-secret-value")).await;
    agent.end().await;
}
