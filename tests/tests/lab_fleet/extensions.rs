//! A collection that the state repository declares, and a plug-in that comes to the host as a file like others.

use std::process::Output;

use muster_tests::fleet::{RealFleet, SOON};
use muster_tests::need;
use muster_tests::wait::wait_until;
use serde_json::Value;

use crate::web::corrections;

/// As in the book.
const DECLARED: &str = "plugin: greeting\nattributes:\n  text: {type: string, required: true}\n";

/// The plug-in of the book in the words of a shell, for hosts without Python. It writes down how often it was started.
const PLUGIN: &str = r#"#!/bin/sh
folder=/var/lib/greetings
echo >>/run/greeting.starts
of() { printf '%s\n' "$line" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
while IFS= read -r line; do
    id=$(printf '%s\n' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    thing=$(of thing)
    case $(of op) in
    describe)
        case $line in
        *'"features":[]'*) ok='{"protocol":1,"name":"greeting","version":"1","features":["list","remove"]}' ;;
        *) echo "{\"id\":$id,\"error\":{\"code\":\"unsupported\",\"message\":\"unknown feature\"}}"; continue ;;
        esac ;;
    get)
        if [ -e "$folder/$thing" ]; then
            ok="{\"present\":true,\"attributes\":{\"text\":\"$(cat "$folder/$thing")\"}}"
        else
            ok='{"present":false}'
        fi ;;
    apply)
        if [ "$(of state)" = absent ]; then rm -f "$folder/$thing"; else of text >"$folder/$thing"; fi
        ok='{}' ;;
    list) ok="{\"ids\":[$(ls "$folder" | sed 's/.*/"&"/' | paste -sd ,)]}" ;;
    *) echo "{\"id\":$id,\"error\":{\"code\":\"unsupported\",\"message\":\"unknown request\"}}"; continue ;;
    esac
    echo "{\"id\":$id,\"ok\":$ok}"
done
"#;

fn application(greetings: &str) -> String {
    format!(
        "resources:
  directories:
    /usr/lib/muster: {{}}
    /usr/lib/muster/plugins: {{}}
  files:
    /usr/lib/muster/plugins/greeting: {{source: greeting, mode: \"0755\"}}
  greetings:
{greetings}"
    )
}

/// A greeting that comes after its plug-in.
fn greeting(name: &str, attributes: &str) -> String {
    format!("    {name}: {{{attributes}, requires: [files/usr/lib/muster/plugins/greeting]}}\n")
}

fn write(real: &RealFleet<1>, greetings: &str) {
    real.fleet.repository.write("applications/greeter/application.yaml", application(greetings)).unwrap();
}

/// What `muster` says in the clone.
fn muster(real: &RealFleet<1>, arguments: &[&str]) -> Output {
    real.fleet.muster(arguments).unwrap().current_dir(real.fleet.repository.work()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn lab_a_declared_collection_is_checked_applied_healed_and_goes_back() {
    if !need::has(need::LAB) || !need::has(need::BROKER) {
        return;
    }
    let real = RealFleet::start(["web-1"]).unwrap();
    let [host] = &real.hosts;
    host.exec("mkdir /var/lib/greetings && echo found >/var/lib/greetings/berta").unwrap();
    real.approve_all("").unwrap();
    let holds = |name: &str, text: &str| {
        host.read_file(&format!("/var/lib/greetings/{name}")).is_ok_and(|found| found.trim_end() == text)
    };

    // The orchestrator knows what a greeting may say, and nothing of who provides it.
    real.fleet.repository.write("extensions/greetings.yaml", DECLARED).unwrap();
    real.fleet.repository.write("applications/greeter/files/greeting", PLUGIN).unwrap();
    let assigned = "applications: {greeter: {}}\n";
    real.fleet.repository.write("environments/production/environment.yaml", assigned).unwrap();
    for (faulty, word) in [("text: hello, volume: 3", "volume"), ("text: 3", "text"), ("state: present", "text")] {
        write(&real, &greeting("anna", faulty));
        let refused = muster(&real, &["validate"]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let told = text(&refused);
        assert!(told.contains("applications/greeter/application.yaml:") && told.contains(word), "{faulty}: {told}");
    }

    let both = greeting("anna", "text: hello") + &greeting("berta", "text: taken over");
    write(&real, &both);
    let validated = muster(&real, &["validate"]);
    assert_eq!(validated.status.code(), Some(0), "{validated:?}");
    let plan = text(&muster(&real, &["plan"]));
    assert!(plan.contains("+ greetings/anna") && plan.contains("+ greetings/berta"), "{plan}");
    let commit = real.fleet.repository.publish("greeter: Greet").unwrap();
    real.fleet.wait_synced("web-1", &commit).unwrap();
    assert!(holds("anna", "hello") && holds("berta", "taken over"));

    // Drift is seen by the look that comes every few seconds; nothing tells of it.
    host.write_file("/var/lib/greetings/anna", "drift\n").unwrap();
    wait_until("the greeting to heal", SOON, || holds("anna", "hello")).unwrap();
    host.exec("rm /var/lib/greetings/berta").unwrap();
    wait_until("the other to come back", SOON, || holds("berta", "taken over")).unwrap();
    real.fleet.wait_host("web-1", "the correction", |view| corrections(view, "greetings/anna") == 1).unwrap();
    assert_eq!(host.exec("wc -l </run/greeting.starts").unwrap(), "1", "one process all along");

    // Everything that is asked of other resources is asked of these.
    host.exec("echo stray >/var/lib/greetings/carla").unwrap();
    let ask = |what: &[&str]| -> Value {
        let answer = muster(&real, &[&["query", "web-1", "-o", "json"], what].concat());
        serde_json::from_slice(&answer.stdout).unwrap_or_else(|_| panic!("{answer:?}"))
    };
    let one = &ask(&["greetings/anna"])["answers"][0]["body"];
    assert_eq!((&one["managed"], &one["observed"]["attributes"]["text"]), (&true.into(), &"hello".into()), "{one}");
    let all = ask(&["greetings", "--unmanaged"])["answers"][0]["body"].to_string();
    assert!(["anna", "berta", "carla"].iter().all(|name| all.contains(&format!("greetings/{name}"))), "{all}");
    assert_eq!(host.run(&["muster-agent", "plan"]).unwrap().status.code(), Some(0));
    let status = || real.fleet.repository.git_bare(&["grep", "greetings/anna", "status", "--", "hosts"]);
    wait_until("the drift in the status branch", SOON, || status().is_ok()).unwrap();

    // One that was made goes, one that was found comes back, and the third was nobody's.
    write(&real, "    {}\n");
    let plan = text(&muster(&real, &["plan"]));
    assert!(plan.contains("- greetings/anna") && plan.contains("- greetings/berta"), "{plan}");
    let commit = real.fleet.repository.publish("greeter: Greet nobody").unwrap();
    real.fleet.wait_synced("web-1", &commit).unwrap();
    assert!(!host.holds("test -e /var/lib/greetings/anna"));
    assert!(holds("berta", "found") && holds("carla", "stray"));
}
