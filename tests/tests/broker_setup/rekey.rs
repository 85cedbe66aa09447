//! A host gets other keys, and the credential that followed from the old ones stops counting, connections and all.

use lapin::{Connection, ConnectionProperties};
use muster_agent::io::host_keys::HostKeys;
use muster_tests::fleet::{SOON, SandboxAgent};
use muster_tests::need;
use muster_tests::wait::wait_until;
use serde_json::Value;

use crate::site::Site;

const USER: &str = "lab~host~one";
/// What the connection is called that somebody made with the old keys.
const HELD: &str = "held";

fn password(agent: &SandboxAgent) -> String {
    HostKeys::load(&agent.state().join("keys")).unwrap().broker_password().to_string()
}

async fn connect(site: &Site, password: &str) -> Result<Connection, lapin::Error> {
    let properties = ConnectionProperties::default().with_connection_name(HELD.into());
    Connection::connect(&site.broker.url_of(USER, password, "lab"), properties).await
}

/// Whether the broker has a connection of that name.
fn is_held(site: &Site) -> bool {
    let listed = site.broker.control(&["list_connections", "user", "client_properties"]).unwrap().stdout;
    let name = format!("{{\"connection_name\",\"{HELD}\"}}");
    String::from_utf8(listed).unwrap().lines().any(|line| line.starts_with(USER) && line.contains(&name))
}

/// What the broker keeps of the host's password.
fn known_hash(site: &Site) -> Value {
    let users = site.definitions()["users"].take();
    users.as_array().unwrap().iter().find(|user| user["name"] == USER).unwrap()["password_hash"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_an_old_credential_end_when_a_host_was_given_other_keys_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let mut site = Site::begin();
    site.setup(&["--fleet", "lab", "--apply"], 0);
    site.start_fleet();
    let one = site.agent("one");
    let approved = site.fleet.approve("production", "one", "").unwrap();
    site.wait_enrolled("one");
    site.setup(&["--apply"], 0);
    let before = site.fleet.wait_synced("one", &approved).unwrap();
    let old = password(&one);
    let held = connect(&site, &old).await.unwrap();
    let old_hash = known_hash(&site);

    let output = one.ask("rekey").unwrap().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut next = String::new();
    wait_until("the new key to be announced", SOON, || {
        let listed = site.fleet.fetch("enrolment").unwrap();
        let pending = &listed["items"][0];
        next = pending["key"].as_str().unwrap_or_default().to_owned();
        pending["replaces"]["id"] == "one"
    })
    .unwrap();
    site.fleet.declare("production", "one", &next, "").unwrap();
    site.fleet.repository.publish("hosts: Give one another key").unwrap();
    wait_until("the hash of the new password", SOON, || {
        assert!(is_held(&site), "until then nobody ends it");
        site.setup(&["--apply"], 0);
        known_hash(&site) != old_hash
    })
    .unwrap();

    wait_until("the connection of the old credential to end", SOON, || !is_held(&site)).unwrap();
    assert!(!held.status().connected());
    let refused = connect(&site, &old).await.unwrap_err().to_string();
    assert!(refused.contains("ACCESS_REFUSED"), "{refused}");
    let fresh = connect(&site, &password(&one)).await.unwrap();
    fresh.close(200, "done".into()).await.unwrap();
    // The agent goes on by it.
    let rekeyed = |host: &Value| host["sync"] == "Synced" && host["key"] != before["key"];
    site.fleet.wait_host("one", "to be in sync with its new key", rekeyed).unwrap();
    assert!(site.connected_users().contains(&USER.to_owned()));
    site.setup(&["--check"], 0);
}
