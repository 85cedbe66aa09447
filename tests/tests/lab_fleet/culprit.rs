//! Who made drift is told by name.

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::need;
use muster_tests::wait::wait_until;
use serde_json::{Value, json};

const APPLICATION: &str = r#"
resources:
  files:
    /etc/app/open.conf: {content: "managed\n", mode: "0666"}
    /etc/app/ours.conf: {content: "managed\n"}
"#;

#[test]
fn lab_drift_names_the_program_the_user_and_the_login() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    host.exec("mkdir /etc/app").unwrap();
    real.approve_all("").unwrap();
    real.fleet.repository.write("applications/app/application.yaml", APPLICATION.trim_start()).unwrap();
    real.fleet.repository.write("environments/production/environment.yaml", "applications: {app: {}}\n").unwrap();
    let assigned = real.fleet.repository.publish("production: Configure the application").unwrap();
    real.fleet.wait_synced("web-1", &assigned).unwrap();

    // A user; it stays a while, as an editor does.
    let edit = "echo $$ >/var/tmp/pid-1; exec 3>/etc/app/open.conf; echo mine >&3; sleep 3";
    host.exec(&format!("runuser -u daemon -- sh -c '{edit}'")).unwrap();
    let by = culprit(&real, "files/etc/app/open.conf");
    let pid: u32 = host.read_file("/var/tmp/pid-1").unwrap().trim().parse().unwrap();
    assert_eq!((&by["pid"], &by["user"], &by["uid"]), (&json!(pid), &json!("daemon"), &json!(1)), "{by}");
    assert_eq!(by["name"], "sh", "{by}");

    // Somebody who has logged in as another and become root since.
    let edit = "echo 1 >/proc/self/loginuid; cat /proc/self/sessionid >/var/tmp/session; echo mine >/etc/app/ours.conf; sleep 3";
    host.exec(&format!("sh -c '{edit}'")).unwrap();
    let by = culprit(&real, "files/etc/app/ours.conf");
    assert_eq!((&by["user"], &by["login"]), (&json!("root"), &json!("daemon")), "{by}");
    assert_eq!(by["session"], host.read_file("/var/tmp/session").unwrap().trim(), "{by}");

    // People see the same, and Git has it.
    let mut why = real.fleet.muster(&["why", "web-1", "files/etc/app/open.conf"]).unwrap();
    let told = String::from_utf8(why.output().unwrap().stdout).unwrap();
    assert!(told.contains(&format!("by sh (pid {pid}) as daemon")), "{told}");
    let status = || real.fleet.repository.git_bare(&["grep", "user: daemon", "status", "--", "hosts"]);
    wait_until("the culprit in the status branch", SOON, || status().is_ok()).unwrap();
}

/// Who is named for the last correction of an address.
fn culprit(real: &RealFleet<1>, address: &str) -> Value {
    let correction = |host: &Value| {
        let all = host["transitions"].as_array()?.iter();
        all.rev().find(|one| one["address"] == address && one["cause"] == "corrective").cloned()
    };
    let host = real.fleet.wait_host("web-1", "a correction", |host| correction(host).is_some()).unwrap();
    correction(&host).unwrap()["by"].clone()
}
