//! Keys that are exchanged under a running fleet: `muster key rotate` and `revoke`, over HTTP, with real agents.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::process::{Process, command};
use muster_tests::wait::wait_until;
use serde_json::Value;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const APPLICATION: &str = "applications/base/application.yaml";

struct Rotating {
    fleet: Fleet,
    agents: Vec<SandboxAgent>,
    folder: tempfile::TempDir,
}

impl Rotating {
    /// A running fleet of one host, which has its file.
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
        fleet.start().unwrap();
        let mut rotating = Rotating { fleet, agents: Vec::new(), folder };
        rotating.write("first");
        rotating.join("one");
        rotating
    }

    /// Starts a new host that pins the first root, and approves it.
    fn join(&mut self, name: &str) {
        let mut agent = SandboxAgent::make(&self.fleet, self.folder.path(), name).unwrap();
        agent.start().unwrap();
        self.agents.push(agent);
        let approved = self.fleet.approve("production", name, "applications: {base: {}}\n").unwrap();
        self.fleet.wait_synced(name, &approved).unwrap();
    }

    fn write(&self, text: &str) {
        let file = format!("resources:\n  files:\n    /etc/motd: {{content: \"{text}\\n\"}}\n");
        self.fleet.repository.write(APPLICATION, file).unwrap();
    }

    fn motd(&self) -> PathBuf {
        self.agents[0].root().join("etc/motd")
    }

    /// Pushes another text and waits until the host has it.
    fn push(&self, text: &str) {
        self.write(text);
        let commit = self.fleet.repository.publish(text).unwrap();
        wait_until(text, SOON, || fs::read_to_string(self.motd()).is_ok_and(|found| found == format!("{text}\n")))
            .unwrap_or_else(|error| panic!("{error:#}\n{}", self.agents[0].log()));
        self.fleet.wait_synced("one", &commit).unwrap();
    }

    fn key(&self, arguments: &[&str]) -> Output {
        let keys = self.fleet.keys();
        let arguments = [&["key"], arguments, &["--keys", keys.to_str().unwrap()]].concat();
        self.fleet.muster(&arguments).unwrap().output().unwrap()
    }

    fn key_done(&self, arguments: &[&str]) -> String {
        let done = self.key(arguments);
        assert!(done.status.success(), "{arguments:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn key_refused(&self, arguments: &[&str], why: &str) {
        let before = list(&self.fleet.keys());
        let done = self.key(arguments);
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && text.contains(why) && text.contains("hint: "), "{arguments:?}: {text}");
        assert_eq!(list(&self.fleet.keys()), before, "something was left");
    }

    fn root(&self, version: u64) -> Value {
        serde_json::from_slice(&fs::read(self.fleet.keys().join(format!("{version}.root.json"))).unwrap()).unwrap()
    }

    /// Waits until root `version` is published and all agents are there.
    fn followed(&self, version: u64) {
        let published = self.fleet.data().join(format!("published/{version}.root.json"));
        wait_until("the root to be published", SOON, || published.exists()).unwrap();
        let line = format!("followed the root version={version}");
        for agent in &self.agents {
            wait_until(&line, SOON, || plain(&agent.log()).contains(&line))
                .unwrap_or_else(|error| panic!("{error:#}\n{}", agent.log()));
        }
    }

    /// What a rotation leaves alone: the file on the host, byte for byte and never written again, and the manifest.
    fn untouched(&self) -> (u64, i64, i64, String, Value) {
        let motd = fs::metadata(self.motd()).unwrap();
        let head = self.head();
        let text = fs::read_to_string(self.motd()).unwrap();
        (motd.ino(), motd.mtime(), motd.mtime_nsec(), text, serde_json::json!([head["manifest"], head["serial"]]))
    }

    fn head_path(&self) -> PathBuf {
        self.fleet.data().join("published/hosts/one/head.json")
    }

    fn head(&self) -> Value {
        serde_json::from_slice(&fs::read(self.head_path()).unwrap()).unwrap()
    }

    /// Whether the minisign program takes `file` for signed by this key of the folder.
    fn is_signed(&self, file: &Path, key: &str) -> bool {
        let public = self.fleet.keys().join(format!("{key}.pub"));
        let text = fs::read_to_string(&public).unwrap();
        let id = text.lines().next().unwrap().rsplit(' ').next().unwrap();
        let signature = format!("{}.{id}.minisig", file.display());
        if !Path::new(&signature).exists() {
            return false;
        }
        let mut minisign = Command::new("minisign");
        minisign.arg("-VHm").arg(file).args(["-x", &signature]).arg("-p").arg(public);
        minisign.output().unwrap().status.success()
    }

    fn manifest_is_signed(&self, key: &str) -> bool {
        let name = format!("{}.json", self.head()["manifest"].as_str().unwrap());
        self.is_signed(&self.head_path().with_file_name(name), key)
    }

    fn wait_signed(&self, what: &str, is: impl Fn() -> bool) {
        wait_until(what, SOON, is).unwrap_or_else(|error| panic!("{error:#}\n{}", self.fleet.log()));
    }
}

/// The log without the terminal's colours.
fn plain(log: &str) -> String {
    let mut text = String::new();
    let mut parts = log.split("\u{1b}[");
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    text
}

fn list(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn key_id(role: &Value, at: usize) -> String {
    let key: muster_schema::PublicKey = role["keys"][at].as_str().unwrap().parse().unwrap();
    key.id().to_string()
}

#[test]
fn every_role_is_rotated_under_running_agents_and_no_host_changes() {
    let mut rotating = Rotating::begin();
    let before = rotating.untouched();

    let told = rotating.key_done(&["rotate", "render"]);
    assert!(told.contains("counts no longer"), "{told}");
    rotating.wait_signed("the manifest to be signed anew", || rotating.manifest_is_signed("render-2"));
    rotating.followed(2);
    assert_eq!(rotating.untouched(), before);
    rotating.push("by the second render key");
    assert!(rotating.manifest_is_signed("render-2") && !rotating.manifest_is_signed("render"));

    let before = rotating.untouched();
    rotating.key_done(&["rotate", "fresh"]);
    rotating.wait_signed("the head to be signed anew", || rotating.is_signed(&rotating.head_path(), "fresh-3"));
    rotating.followed(3);
    assert_eq!(rotating.untouched(), before);
    rotating.push("by the second fresh key");
    assert!(!rotating.is_signed(&rotating.head_path(), "fresh"));

    // The root key is off the machine: named, and gone from the folder.
    let away = rotating.folder.path().join("safe");
    fs::create_dir(&away).unwrap();
    let first = away.join("root.key");
    fs::rename(rotating.fleet.keys().join("root.key"), &first).unwrap();
    rotating.key_refused(&["rotate", "root"], "signed by 0 of the 1 keys");
    let before = rotating.untouched();
    rotating.key_done(&["rotate", "root", "--root-key", first.to_str().unwrap()]);
    rotating.followed(4);
    assert_eq!(rotating.untouched(), before);
    let fourth = rotating.fleet.keys().join("4.root.json");
    assert!(rotating.is_signed(&fourth, "root") && rotating.is_signed(&fourth, "root-4"));
    rotating.key_refused(&["rotate", "fresh", "--root-key", first.to_str().unwrap()], "signed by 0 of the 1 keys");

    // A host that pins the first root, and knows none of these keys, joins.
    rotating.join("two");
    rotating.followed(4);
    rotating.push("after all");

    // The audit log tells of each, with the keys that signed it: the last one has the old root's and its own.
    let log = fs::read_to_string(rotating.fleet.data().join("audit.log")).unwrap();
    let followed: Vec<&str> = log.lines().filter(|line| line.contains("RootFollowed")).collect();
    let signed: Vec<usize> = followed.iter().map(|line| line.matches("key:").count()).collect();
    assert_eq!(signed, [1, 1, 2], "{followed:?}");
}

#[test]
fn an_overlap_lets_two_keys_count_until_one_is_revoked() {
    let mut rotating = Rotating::begin();
    rotating.key_done(&["rotate", "render", "--overlap"]);
    rotating.followed(2);
    let old = key_id(&rotating.root(2)["roles"]["render"], 0);
    assert_eq!(rotating.root(2)["roles"]["render"]["keys"].as_array().unwrap().len(), 2);
    rotating.push("by one of two");
    rotating.key_refused(&["rotate", "render"], "has 2 keys");
    rotating.key_done(&["revoke", &old]);
    rotating.followed(3);
    let last = key_id(&rotating.root(3)["roles"]["render"], 0);
    assert_ne!(old, last);
    rotating.key_refused(&["revoke", &last], "has 0 of the 1 keys");

    // While nothing runs, with a new epoch: the next start takes it up.
    let before = rotating.untouched();
    rotating.fleet.stop().unwrap();
    rotating.key_done(&["rotate", "render", "--raise-epoch"]);
    rotating.fleet.start().unwrap();
    rotating.followed(4);
    wait_until("a manifest of the new epoch", SOON, || rotating.head()["epoch"] == 2).unwrap();
    let tip = rotating.fleet.repository.tip().unwrap();
    rotating.fleet.wait_synced("one", &tip).unwrap();
    assert_eq!(rotating.untouched().3, before.3);
    rotating.push("in the second epoch");

    // And while it runs.
    rotating.key_done(&["rotate", "fresh", "--raise-epoch"]);
    rotating.followed(5);
    wait_until("a manifest of the third epoch", SOON, || rotating.head()["epoch"] == 3).unwrap();
    rotating.push("in the third epoch");
    assert_eq!(fs::metadata(rotating.motd()).unwrap().nlink(), 1);
}

#[test]
fn a_ceremony_of_two_of_three_counts_when_enough_have_signed_as_minisign_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
    let rotating = Rotating { fleet, agents: Vec::new(), folder };
    let at = |name: &str| rotating.folder.path().join(name).display().to_string();
    let run = |arguments: &[&str]| rotating.fleet.muster(arguments).unwrap().output().unwrap();
    let refused = |arguments: &[&str], why: &str| {
        let output = run(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(why), "{arguments:?}: {text}");
    };
    let minisign = |arguments: &[&str]| Command::new("minisign").args(arguments).output().unwrap();
    for name in ["ann", "ben", "cleo"] {
        assert!(run(&["key", "create", &at(name)]).status.success());
    }
    let id = |name: &str| {
        let text = fs::read_to_string(at(&format!("{name}.pub"))).unwrap();
        text.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    let (proposal, keys) = (at("proposal"), rotating.fleet.keys().display().to_string());
    let next = format!("{proposal}/2.root.json");
    let signature = |name: &str| format!("{next}.{}.minisig", id(name));
    let (ann, ben, cleo) = (at("ann.pub"), at("ben.pub"), at("cleo.pub"));
    let three = ["--role", "root", "--key", &ann, "--key", &ben, "--key", &cleo];
    let begin = ["key", "ceremony", "begin", &proposal, "--keys", &keys];
    refused(&[&begin[..], &three, &["--threshold", "4"]].concat(), "threshold");
    let begun = run(&[&begin[..], &three, &["--threshold", "2"]].concat());
    assert!(begun.status.success(), "{begun:?}");
    let text = fs::read_to_string(format!("{proposal}/changes.txt")).unwrap();
    assert!(text.contains("root: 2 must sign, not 1") && text.contains(&id("cleo")), "{text}");

    let sign = |key: &str| run(&["key", "ceremony", "sign", &proposal, "--key", key, "--yes"]);
    let finish = ["key", "ceremony", "finish", &proposal, "--keys", &keys];
    let (first, render) = (format!("{keys}/root.key"), format!("{keys}/render.key"));
    refused(&["key", "ceremony", "sign", &proposal, "--key", &at("ann.key")], "use --yes");
    refused(&["key", "ceremony", "sign", &proposal, "--key", &render, "--yes"], "is no root key");
    let told = String::from_utf8(sign(&first).stdout).unwrap();
    assert!(told.contains("root: 2 must sign, not 1") && told.contains("signed: "), "{told}");
    assert!(sign(&at("ann.key")).status.success());
    refused(&finish, &id("ben"));
    let by_hand = minisign(&["-SHm", &next, "-s", &at("ben.key"), "-x", &signature("ben")]);
    assert!(by_hand.status.success(), "{by_hand:?}");
    for (public, name) in [(at("ann.pub"), "ann"), (at("ben.pub"), "ben")] {
        assert!(minisign(&["-VHm", &next, "-p", &public, "-x", &signature(name)]).status.success(), "{name}");
    }

    let good = fs::read(&next).unwrap();
    let twisted = String::from_utf8(good.clone()).unwrap().replace("\"epoch\":1", "\"epoch\":2");
    fs::write(&next, twisted).unwrap();
    refused(&finish, "0 signatures count");
    fs::write(&next, &good).unwrap();
    let done = run(&finish);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(fs::read(rotating.fleet.keys().join("2.root.json")).unwrap(), good);
    refused(&finish, "begin the ceremony anew");

    rotating.key_refused(&["rotate", "render", "--root-key", &at("ann.key")], "signed by 1 of the 2 keys");
    rotating.key_done(&["rotate", "render", "--root-key", &at("ann.key"), "--root-key", &at("ben.key")]);
    assert_eq!(rotating.root(3)["version"], 3);
}

#[test]
fn a_signer_process_holds_the_keys_and_signs_for_each_role_its_own_documents_only() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;

    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
    // The keys are with the signer; the orchestrator has the root documents and its own key.
    let (held, socket) = (folder.path().join("held"), folder.path().join("signer.socket"));
    fs::create_dir(&held).unwrap();
    for name in list(&fleet.keys()) {
        let (from, to) = (fleet.keys().join(&name), held.join(&name));
        if name.contains("root.json") {
            fs::copy(&from, &to).unwrap();
        } else if !name.starts_with("status") {
            fs::rename(&from, &to).unwrap();
        }
    }
    let (address, log) = (format!("unix:{}", socket.display()), folder.path().join("signer.log"));
    let start = || {
        let mut signer = command(muster_tests::programs::muster().unwrap());
        signer.args(["signer", "--listen", &address, "--keys"]).arg(&held);
        let signer = Process::start("muster signer", signer, &log).unwrap();
        wait_until("the signer", SOON, || UnixStream::connect(&socket).is_ok()).unwrap();
        signer
    };
    let mut signer = start();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    fleet.serve_with(&["--signer", &address]);
    fleet.start().unwrap();
    let copied = folder.path().join("held");
    let mut rotating = Rotating { fleet, agents: Vec::new(), folder };
    rotating.write("first");
    rotating.join("one");
    rotating.push("by the signer");

    // Every line is answered, and none signs for another role.
    let key = |role: &str| rotating.root(1)["roles"][role]["keys"][0].clone();
    let document = fs::read(rotating.head_path()).unwrap();
    let manifest =
        rotating.head_path().with_file_name(format!("{}.json", rotating.head()["manifest"].as_str().unwrap()));
    let root = fs::read(copied.join("1.root.json")).unwrap();
    let stream = UnixStream::connect(&socket).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut ask = |role: &str, key: &Value, bytes: &[u8]| {
        let bytes = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
        let line = serde_json::json!({"ask": "sign", "role": role, "key": key, "bytes": bytes, "comment": "mine"});
        writeln!(&stream, "{line}").unwrap();
        let mut answer = String::new();
        reader.read_line(&mut answer).unwrap();
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    let manifest = fs::read(manifest).unwrap();
    assert!(ask("fresh", &key("fresh"), &document)["signature"].is_string());
    assert!(ask("render", &key("render"), &manifest)["signature"].is_string());
    for (role, of, bytes) in [
        ("fresh", "fresh", &manifest),
        ("render", "render", &document),
        ("render", "fresh", &manifest),
        ("fresh", "render", &document),
        ("root", "root", &root),
        ("fresh", "fresh", &root),
        ("render", "render", &root),
    ] {
        let answer = ask(role, &key(of), bytes);
        assert!(answer["error"].is_string(), "{role} by {of}: {answer}");
    }

    // It goes away and comes back; a rotated key is found by the root document in both folders.
    signer.stop(SOON).unwrap();
    signer = start();
    rotating.push("after a restart of the signer");
    let keys = copied.to_str().unwrap();
    let rotated = rotating.fleet.muster(&["key", "rotate", "render", "--keys", keys]).unwrap().output().unwrap();
    assert!(rotated.status.success(), "{rotated:?}");
    for name in
        list(&copied).iter().filter(|name| name.starts_with("2.root.json.")).chain(["2.root.json".to_owned()].iter())
    {
        fs::copy(copied.join(name), rotating.fleet.keys().join(name)).unwrap();
    }
    rotating.followed(2);
    rotating.push("by the second key");
    fs::copy(copied.join("render-2.pub"), rotating.fleet.keys().join("render-2.pub")).unwrap();
    assert!(rotating.manifest_is_signed("render-2"));
    drop(signer);
}
