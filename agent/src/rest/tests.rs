#![allow(clippy::disallowed_methods)]

use super::{Answer, Rest};
use crate::accepted::Accepted;
use crate::apply::Outcome;
use crate::breakglass::break_glass_orders;
use crate::io::clock;
use crate::known::Known;
use crate::resource::{Secret, State};
use crate::store::{Batch, Store};
use crate::test_orchestrator::{TestKey, TestOrchestrator};
use crate::vault::Vault;
use crate::verify::Marks;
use crate::worker::Order;
use muster_schema::api::Method;
use muster_schema::report::Applied;
use muster_schema::state::{Cause, ResourceState};
use muster_schema::{Sha256Digest, Timestamp};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use tempfile::TempDir;

/// An agent's folder, and a tree that it manages.
pub(crate) struct TestRest {
    pub(crate) dir: TempDir,
    pub(crate) rest: Arc<Rest>,
    pub(crate) orders: Receiver<Order>,
}

impl TestRest {
    /// With `resources` in force.
    pub(crate) fn begin(resources: impl FnOnce(&TestOrchestrator) -> Value) -> TestRest {
        let dir = tempfile::tempdir().unwrap();
        let (folder, root) = (dir.path().join("state"), dir.path().join("root"));
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        let (store, _) = Store::open(&folder.join("store")).unwrap();
        let blobs = Vault::open(&folder.join("blobs")).unwrap();
        let orchestrator = TestOrchestrator::new(TestKey::new().public());
        let resources = resources(&orchestrator);
        let bytes = serde_json::to_vec(&orchestrator.manifest(1, &resources)).unwrap();
        let manifest = Sha256Digest::of(&bytes);
        let applied =
            Applied { manifest, content: manifest, epoch: 1, serial: 1, revision: "a".repeat(40).parse().unwrap() };
        let accepted = Accepted {
            marks: Marks { epoch: 1, serial: 1, issued: Timestamp(1), manifest },
            applied,
            manifest: blobs.keep_bytes(&bytes).unwrap(),
            expires: Timestamp(u64::MAX),
            retired: false,
            break_glass: None,
        };
        accepted.commit(&store, Batch::new()).unwrap();
        let (sender, orders) = std::sync::mpsc::channel();
        let rest = Rest {
            folder,
            root,
            mode: Default::default(),
            confirm_within: None,
            store: Arc::new(store),
            blobs: Arc::new(blobs),
            orders: sender,
            extensions: None,
            secrets: None,
            turns: Rest::new_turns(),
            break_glass: break_glass_orders().0,
        };
        TestRest { dir, rest: Arc::new(rest), orders }
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.dir.path().join("root").join(path), text).unwrap();
    }

    async fn get(&self, target: &str) -> (u16, Value) {
        let Answer { status, body } = self.rest.answer(Method::Get, target).await;
        (status, serde_json::from_str(&body).unwrap())
    }
}

fn motd(orchestrator: &TestOrchestrator) -> Value {
    json!({"files/etc/motd": {"content": orchestrator.blob("right\n"), "mode": "0644"}, "directories/etc/app": {}})
}

#[tokio::test]
async fn a_resource_is_shown_with_what_it_is_to_be_and_what_it_is_now() {
    let agent = TestRest::begin(motd);
    let mut known = Known::load(&agent.rest.store).unwrap();
    let outcome = Outcome {
        address: "files/etc/motd".parse().unwrap(),
        state: Some(ResourceState::Repaired),
        message: "content".to_owned(),
        cause: Cause::Corrective,
        changed: true,
        reported: true,
    };
    known.note(&agent.rest.store, &[outcome], Timestamp(7), Batch::new()).unwrap();
    agent.write("etc/motd", "wrong\n");

    let (status, view) = agent.get("/v1/files/etc/motd").await;
    assert_eq!(status, 200, "{view}");
    assert_eq!((&view["managed"], &view["desired"]["state"]), (&json!(true), &json!("present")));
    assert_eq!(view["desired"]["attributes"]["mode"], "0644");
    assert_eq!(view["observed"]["attributes"]["content"]["size"], 6);
    assert_ne!(view["observed"]["attributes"]["content"], view["desired"]["attributes"]["content"]);
    assert_eq!((&view["state"], &view["since"]), (&json!("repaired"), &json!(7)));
    assert_eq!(view["last_change"], json!({"at": 7, "cause": "initial", "message": "content"}));
    assert!(view["plan"].as_str().unwrap().contains("content"), "{view}");
    assert_eq!(view["revision"], "a".repeat(40));

    // The host is read for each answer.
    agent.write("etc/motd", "right\n");
    let (_, view) = agent.get("/v1/files/%2Fetc%2Fmotd").await;
    assert_eq!(view["observed"]["attributes"]["content"], view["desired"]["attributes"]["content"]);
}

#[tokio::test]
async fn collections_tell_what_is_managed() {
    let agent = TestRest::begin(motd);
    let (_, view) = agent.get("/v1").await;
    let line = |name: &str| view["collections"].as_array().unwrap().iter().find(|c| c["collection"] == name).cloned();
    assert_eq!(line("files").unwrap()["managed"], 1);
    assert_eq!(line("packages").unwrap()["managed"], 0);
    let (_, view) = agent.get("/v1/directories").await;
    assert_eq!(view["items"], json!([{"address": "directories/etc/app", "managed": true}]));
    let (status, problem) = agent.get("/v1/files?all=true").await;
    assert_eq!((status, &problem["reason"]), (501, &json!("CannotList")));
}

#[tokio::test]
async fn what_is_not_managed_is_read_where_that_can_be() {
    let agent = TestRest::begin(motd);
    agent.write("etc/other", "mine\n");
    let (status, view) = agent.get("/v1/files/etc/other").await;
    assert_eq!((status, &view["managed"], &view["desired"]), (200, &json!(false), &Value::Null));
    assert_eq!(view["observed"]["present"], true);
    let (_, view) = agent.get("/v1/files/etc/nothing").await;
    assert_eq!(view["observed"]["present"], false);
    for target in ["/v1/commands/migrate", "/v1/users/root"] {
        let (status, problem) = agent.get(target).await;
        assert_eq!((status, &problem["reason"]), (404, &json!("NotManaged")), "{target}");
        assert!(problem["hint"].is_string());
    }
}

#[tokio::test]
async fn a_plan_changes_nothing() {
    let agent = TestRest::begin(motd);
    let Answer { status, body } = agent.rest.answer(Method::Post, "/v1/plan").await;
    let view: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &view["differences"]), (200, &json!(2)), "{view}");
    assert_eq!(view["changes"][0], json!({"address": "directories/etc/app", "change": "create"}));
    assert!(!agent.dir.path().join("root/etc/app").exists());
}

#[tokio::test]
async fn a_plan_says_of_what_was_taken_back_that_it_is_not_tried_again() {
    let agent = TestRest::begin(motd);
    let mut batch = Batch::new();
    let reason = "reverted: the orchestrator was not reached within 120 s";
    batch.put("reverted", &json!({"content": null, "resources": [["files/etc/motd", reason]]})).unwrap();
    agent.rest.store.commit(batch).unwrap();
    let Answer { body, .. } = agent.rest.answer(Method::Post, "/v1/plan").await;
    let view: Value = serde_json::from_str(&body).unwrap();
    let told = format!("not tried again under this manifest: {reason}");
    assert_eq!(view["differences"], 1, "{view}");
    assert_eq!(view["changes"][1], json!({"address": "files/etc/motd", "change": told}));
    let (_, view) = agent.get("/v1/files/etc/motd").await;
    assert_eq!(view["plan"], told);
    // What is right is right, however it became so.
    agent.write("etc/motd", "right\n");
    fs::set_permissions(agent.dir.path().join("root/etc/motd"), fs::Permissions::from_mode(0o644)).unwrap();
    let (_, view) = agent.get("/v1/files/etc/motd").await;
    assert_eq!(view["plan"], Value::Null);
}

#[tokio::test]
async fn a_run_is_an_order_and_its_end_the_answer() {
    let agent = TestRest::begin(motd);
    let rest = agent.rest.clone();
    let asked = tokio::spawn(async move { rest.answer(Method::Post, "/v1/converge").await });
    let (order, _orders) =
        tokio::task::spawn_blocking(move || (agent.orders.recv().unwrap(), agent.orders)).await.unwrap();
    assert!(!asked.is_finished());
    let Order::Sweep(done) = order else { panic!("another order") };
    let outcome = Outcome {
        address: "files/etc/motd".parse().unwrap(),
        state: Some(ResourceState::Repaired),
        message: "content".to_owned(),
        cause: Cause::Corrective,
        changed: true,
        reported: true,
    };
    Known::load(&agent.rest.store).unwrap().note(&agent.rest.store, &[outcome], clock::now(), Batch::new()).unwrap();
    drop(done);
    let view: Value = serde_json::from_str(&asked.await.unwrap().body).unwrap();
    assert_eq!((&view["finished"], &view["changed"][0]["address"]), (&json!(true), &json!("files/etc/motd")));
    assert_eq!(view["states"], json!({"repaired": 1}));
}

#[test]
fn secrets_are_masked() {
    let state = State::present([("password", Secret::new("$6$hash").into()), ("shell", "/bin/sh".into())]);
    let shown = super::masked::show_attributes(state.attributes().unwrap());
    assert_eq!(Value::Object(shown), json!({"password": "***", "shell": "/bin/sh"}));
}
