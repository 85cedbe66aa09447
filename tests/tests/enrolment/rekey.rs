//! `muster-agent rekey`: the old key signs the new one, a commit approves it, and everything stays readable.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use muster_schema::{PublicKey, ReceiptCode};
use muster_tests::fleet::SOON;
use muster_tests::wait::wait_until;
use serde_json::Value;

use crate::stage::{FILE, HOST, Stage};

const SECRET: &str = "correct horse/battery";
const RESOURCES: &str =
    "labels: {role: db}\nresources:\n  files:\n    /etc/app: {content: \"{{ secret('db') }}\\n\"}\n";

/// Whether a file below `folder` holds this text.
fn holds_anywhere(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => holds_anywhere(&path, text),
        false => {
            let bytes = fs::read(&path).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        }
    })
}

fn rekey(stage: &Stage) -> String {
    let output = stage.agent.ask("rekey").unwrap().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().next().unwrap().split_whitespace().last().unwrap().to_owned()
}

async fn an_exchange(mut stage: Stage) {
    let app = stage.agent.root().join("etc/app");
    fs::write(&app, "what was there\n").unwrap();
    let identity = stage.agent.root().join("../../admin.key");
    let identity = identity.to_str().unwrap();
    let admin = stage.muster(&["secret", "keygen", identity]).trim().to_owned();
    stage.fleet.repository.write(FILE, RESOURCES).unwrap();
    stage.fleet.repository.publish("hosts: Declare").unwrap();
    let secret = stage.agent.root().join("../../secret");
    fs::write(&secret, SECRET).unwrap();
    stage.muster_with(&["secret", "set", "db", "--hosts", "role=db", "--admin", &admin], &secret);
    stage.fleet.wait_pending(HOST).unwrap();
    stage.muster(&["host", "approve", HOST, "--yes", "--identity", identity]);
    let synced = |host: &Value| host["sync"] == "Synced" && host["health"] == "Healthy";
    let before = stage.fleet.wait_host(HOST, "to be in sync", synced).unwrap();
    assert_eq!(fs::read_to_string(&app).unwrap(), format!("{SECRET}\n"));

    let (old, inode) = (stage.keys(), fs::metadata(&app).unwrap().ino());
    let old_secret = fs::read_to_string(stage.agent.state().join("keys/age.key")).unwrap();
    let fingerprint = rekey(&stage);
    assert_eq!(rekey(&stage), fingerprint, "asked twice it is one key");
    let mut listed = Value::Null;
    wait_until("the new key to be announced", SOON, || {
        listed = stage.fleet.fetch("enrolment").unwrap()["items"].take();
        listed[0]["fingerprint"] == fingerprint.as_str()
    })
    .unwrap();
    assert_eq!(listed[0]["replaces"]["id"], HOST);
    assert_eq!(listed[0]["replaces"]["key"], old.public_key().to_string());
    assert!(stage.muster(&["get", "enrolment", "-o", "table"]).contains("re-key of web-1"));
    // Whatever ends it meanwhile, it goes on with the key of now.
    stage.agent.kill().unwrap();
    stage.agent.start().unwrap();
    assert_eq!(stage.keys().public_key(), old.public_key());
    stage.fleet.wait_host(HOST, "to be heard of", |host| host["contact"] == "Live").unwrap();

    let said = stage.muster(&["host", "approve", HOST, "--fingerprint", &fingerprint, "--identity", identity]);
    assert!(said.contains("It can read: db"), "{said}");
    let message = stage.fleet.repository.git_bare(&["log", "-1", "--format=%B", "main"]).unwrap();
    assert!(message.contains(&fingerprint) && message.contains(&old.public_key().fingerprint()), "{message}");
    // While the files are exchanged they are no keys.
    let public = stage.agent.state().join("keys/host.pub");
    wait_until("the new key to be in use", SOON, || {
        let text = fs::read_to_string(&public).unwrap_or_default();
        let key = text.lines().last().and_then(|line| line.parse::<PublicKey>().ok());
        key.is_some_and(|key| key.fingerprint() == fingerprint) && !public.with_file_name("taken").exists()
    })
    .unwrap();
    let rekeyed = |host: &Value| synced(host) && host["key"] != before["key"] && host["enrolled"] == true;
    let after = stage.fleet.wait_host(HOST, "to be in sync with its new key", rekeyed).unwrap();
    assert!(after["serial"].as_u64() > before["serial"].as_u64(), "one line of serials");
    assert_eq!(fs::metadata(&app).unwrap().ino(), inode, "nothing on the host was touched");
    assert_eq!(stage.keys().public_key().to_string(), after["key"].as_str().unwrap());
    assert!(!holds_anywhere(&stage.agent.state(), old_secret.trim_end()), "the old key is gone");
    let refused = stage.thief(old, HOST).fetch(&format!("hosts/{HOST}/head.json"), 1 << 16).await;
    assert_eq!(refused.unwrap_err().code(), Some(ReceiptCode::KeyRevoked));

    // Nobody else takes what is for it.
    let queues = stage.host_queues();
    assert!(queues.iter().all(|queue| queue.ends_with(" 1")), "{queues:?}");

    // What was sealed before is opened by it after: the host goes back to what was found.
    let file = fs::read_to_string(stage.pull().join(FILE)).unwrap();
    let kept: String = file
        .lines()
        .filter(|line| line.starts_with("key") || line.starts_with("rec"))
        .fold(String::new(), |text, line| text + line + "\n");
    stage.fleet.repository.write(FILE, kept + "labels: {role: db}\n").unwrap();
    let commit = stage.fleet.repository.publish("db: Leave the file alone").unwrap();
    stage.fleet.wait_synced(HOST, &commit).unwrap();
    assert_eq!(fs::read_to_string(&app).unwrap(), "what was there\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_gets_another_key_and_reads_all_it_had_http() {
    an_exchange(Stage::http()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_gets_another_key_and_reads_all_it_had_amqp() {
    if let Some(stage) = Stage::amqp() {
        an_exchange(stage).await;
    }
}
