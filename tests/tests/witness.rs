//! Witnesses: manifests that stand only when other machines rendered the same. Real server, agent, Git and keys.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use muster_schema::PublicKey;
use muster_tests::fleet::{Fleet, SOON, SandboxAgent};
use muster_tests::wait::{stays, wait_until};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const APPLICATION: &str = "applications/base/application.yaml";

struct Witnessed {
    fleet: Fleet,
    agent: SandboxAgent,
    folder: tempfile::TempDir,
}

impl Witnessed {
    /// A running fleet of one host whose root document demands two of three witnesses, from its second version on.
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
        fleet.start().unwrap();
        let mut agent = SandboxAgent::make(&fleet, folder.path(), "one").unwrap();
        agent.start().unwrap();
        let witnessed = Witnessed { fleet, agent, folder };
        witnessed.write("first");
        // It reads a fact: the witnesses take facts from the status branch, as the host signed them.
        let host = "applications: {base: {}}\n";
        let approved = witnessed.fleet.approve("production", "one", host).unwrap();
        witnessed.fleet.wait_synced("one", &approved).unwrap();
        for name in ["a", "b", "c"] {
            let stem = witnessed.folder.path().join(name);
            let done = witnessed.fleet.muster(&["key", "create"]).unwrap().arg(stem).output().unwrap();
            assert!(done.status.success(), "{done:?}");
        }
        witnessed.demand();
        witnessed
    }

    fn demand(&self) {
        let holders = ["a", "b", "c"].map(|name| self.folder.path().join(name).with_extension("pub"));
        self.fleet.give_role("witness", 2, &holders).unwrap();
        let published = self.fleet.data().join("published/2.root.json");
        wait_until("the root to be published", SOON, || published.exists()).unwrap();
        wait_until("the agent to follow", SOON, || self.agent.log().contains("followed the root")).unwrap();
    }

    fn write(&self, text: &str) {
        let file =
            format!("resources:\n  files:\n    /etc/motd: {{content: \"{text} on {{{{ facts.hostname }}}}\\n\"}}\n");
        self.fleet.repository.write(APPLICATION, file).unwrap();
    }

    fn has(&self, text: &str) -> bool {
        let motd = self.agent.root().join("etc/motd");
        fs::read_to_string(motd).is_ok_and(|found| found.starts_with(&format!("{text} on ")))
    }

    fn push(&self, text: &str) -> String {
        self.write(text);
        self.fleet.repository.publish(text).unwrap()
    }

    /// The witness `name` looks once, with what it finds at `repository`.
    fn witness_at(&self, name: &str, repository: &Path) -> Output {
        let (keys, stem) = (self.fleet.keys(), self.folder.path().join(name));
        let mut witness = self.fleet.muster(&["witness", "--once", "--trust", self.fleet.first_commit()]).unwrap();
        witness.args(["--root", self.fleet.root_fingerprint(), "--server", &self.fleet.url()]);
        witness.arg("--repo").arg(repository).arg("--data").arg(stem.with_extension("data"));
        witness.arg("--roots").arg(&keys).arg("--status-key").arg(keys.join("status.pub"));
        witness.arg("--key").arg(stem.with_extension("key")).output().unwrap()
    }

    fn witness(&self, name: &str) -> Output {
        self.witness_at(name, &self.fleet.repository.bare())
    }

    fn signed(&self, name: &str) {
        // A witness waits for the status commit that has the facts.
        self.facts();
        let done = self.witness(name);
        assert!(done.status.success() && !done.stdout.is_empty(), "{name}: {done:?}");
    }

    /// Waits until the host's facts are in the status branch.
    fn facts(&self) {
        wait_until("the facts", SOON, || {
            let listed = self.fleet.repository.git_bare(&["ls-tree", "-r", "--name-only", "status", "facts/"]);
            listed.is_ok_and(|names| names.contains("/one.json.minisig"))
        })
        .unwrap();
    }

    /// A signature by this witness beside the host's manifests, by file name.
    fn signatures(&self, name: &str) -> Vec<PathBuf> {
        let public = fs::read_to_string(self.folder.path().join(name).with_extension("pub")).unwrap();
        let key: PublicKey = public.lines().nth(1).unwrap().parse().unwrap();
        let ending = format!(".json.{}.minisig", key.id());
        let files = fs::read_dir(self.fleet.data().join("published/hosts/one")).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        files.filter(|file| file.to_string_lossy().ends_with(&ending)).collect()
    }

    /// The names of the host's published manifests.
    fn manifests(&self) -> BTreeSet<String> {
        let files = fs::read_dir(self.fleet.data().join("published/hosts/one")).unwrap();
        let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.len() == 64 + ".json".len()).collect()
    }

    /// A copy of the repository as it is now.
    fn clone_now(&self) -> PathBuf {
        let copy = self.folder.path().join("before.git");
        let mut clone = Command::new("git");
        self.fleet.repository.as_operator(&mut clone);
        clone.args(["clone", "--quiet", "--mirror"]).arg(self.fleet.repository.bare()).arg(&copy);
        assert!(clone.output().unwrap().status.success());
        copy
    }

    /// The orchestrator is killed, and begins anew.
    fn restart(&mut self) {
        self.fleet.kill().unwrap();
        self.fleet.start().unwrap();
    }

    fn head(&self) -> Vec<u8> {
        let head: serde_json::Value =
            serde_json::from_slice(&fs::read(self.fleet.data().join("published/hosts/one/head.json")).unwrap())
                .unwrap();
        head["manifest"].to_string().into_bytes()
    }

    fn waits(&self, text: &str) {
        let host = self.fleet.wait_host("one", "to wait for witnesses", |host| {
            host["reason"] == "AwaitingWitness"
                && host["health"] == "Pending"
                && host["message"].to_string().contains(text)
        });
        host.unwrap();
    }
}

#[test]
fn a_manifest_stands_when_two_of_three_rendered_the_same() {
    let witnessed = Witnessed::begin();
    let head = witnessed.head();
    let commit = witnessed.push("second");
    witnessed.waits("0 of 2 witnesses have signed");
    stays("the head", Duration::from_secs(2), || witnessed.head() == head && witnessed.has("first")).unwrap();

    witnessed.signed("a");
    witnessed.waits("1 of 2 witnesses have signed");
    // One key twice is one witness.
    let again = witnessed.witness("a");
    assert!(again.status.success() && again.stdout.is_empty(), "nothing is left to be signed: {again:?}");
    stays("the head", Duration::from_secs(2), || witnessed.head() == head && witnessed.has("first")).unwrap();

    witnessed.signed("b");
    wait_until("the second", SOON, || witnessed.has("second")).unwrap();
    witnessed.fleet.wait_synced("one", &commit).unwrap();
    // Stock minisign agrees.
    for (name, signature) in
        ["a", "b"].into_iter().flat_map(|name| witnessed.signatures(name).into_iter().map(move |file| (name, file)))
    {
        let file = signature.with_extension("").with_extension("");
        let mut minisign = Command::new("minisign");
        minisign.arg("-VHm").arg(&file).arg("-x").arg(&signature).arg("-p");
        let done = minisign.arg(witnessed.folder.path().join(name).with_extension("pub")).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }
}

#[test]
fn a_witness_that_comes_to_something_else_signs_nothing_and_says_so() {
    let witnessed = Witnessed::begin();
    let head = witnessed.head();
    // The orchestrator follows a commit that the witness's repository does not have.
    witnessed.facts();
    let before = witnessed.clone_now();
    witnessed.push("second");
    witnessed.waits("0 of 2");
    let signed_before = witnessed.signatures("a").len();
    let done = witnessed.witness_at("a", &before);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(told.contains("NOT SIGNED: one ") && told.contains("not in the history that was verified here"), "{told}");
    // What it could render was signed: the manifest that is in force; the other was not.
    assert_eq!(witnessed.signatures("a").len(), signed_before + 1);
    assert_eq!(witnessed.head(), head);
    assert!(witnessed.has("first"));

    // A signature of somebody else, or of something else, is refused, and leaves nothing.
    let pending = witnessed.signatures("a")[0].with_extension("").with_extension("");
    let digest = pending.file_stem().unwrap().to_str().unwrap();
    let url = format!("{}/witness/v1/hosts/one/{digest}", witnessed.fleet.url());
    let render = fs::read_dir(pending.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let render: Vec<PathBuf> = render.filter(|file| file.to_string_lossy().ends_with(".minisig")).collect();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for file in render.iter().filter(|file| !witnessed.signatures("a").contains(file)) {
        let answer = agent.post(&url).send(&fs::read(file).unwrap()).unwrap();
        assert_eq!(answer.status(), 403, "{}", file.display());
    }
    assert_eq!(agent.post(&url).send(&[0_u8; 5000][..]).unwrap().status(), 413);

    // The next good one is taken.
    witnessed.signed("b");
    witnessed.signed("c");
    wait_until("the second", SOON, || witnessed.has("second")).unwrap();
}

#[test]
fn an_agent_refuses_what_too_few_witnesses_signed_and_keeps_what_it_has() {
    let witnessed = Witnessed::begin();
    witnessed.signed("a");
    witnessed.signed("b");
    witnessed.push("second");
    witnessed.waits("0 of 2");
    witnessed.signed("a");
    witnessed.signed("b");
    wait_until("the second", SOON, || witnessed.has("second")).unwrap();
    // A stolen orchestrator hands out a manifest without a witness: the signature of one is gone.
    let mut witnessed = witnessed;
    witnessed.agent.stop().unwrap();
    fs::remove_dir_all(witnessed.agent.state().join("store")).unwrap();
    let gone = witnessed.signatures("b");
    let kept: Vec<Vec<u8>> = gone.iter().map(|file| fs::read(file).unwrap()).collect();
    gone.iter().for_each(|file| fs::remove_file(file).unwrap());
    witnessed.agent.start().unwrap();
    wait_until("the refusal", SOON, || witnessed.agent.log().contains("ManifestWitness")).unwrap();
    assert!(witnessed.has("second"));
    for (file, text) in gone.iter().zip(kept) {
        fs::write(file, text).unwrap();
    }
    let commit = witnessed.push("third");
    witnessed.waits("0 of 2");
    witnessed.signed("a");
    witnessed.signed("c");
    wait_until("the third", SOON, || witnessed.has("third")).unwrap();
    witnessed.fleet.wait_synced("one", &commit).unwrap();
}

#[test]
fn what_waits_goes_on_waiting_over_kills_of_the_orchestrator() {
    let mut witnessed = Witnessed::begin();
    let head = witnessed.head();
    let commit = witnessed.push("second");
    witnessed.waits("0 of 2");
    witnessed.signed("a");
    witnessed.waits("1 of 2");
    let manifests = witnessed.manifests();
    witnessed.restart();
    witnessed.waits("1 of 2");
    assert_eq!(witnessed.manifests(), manifests, "nothing is made anew");
    assert_eq!(witnessed.head(), head);

    // Who signed before need not sign again.
    witnessed.signed("b");
    wait_until("the second", SOON, || witnessed.has("second")).unwrap();
    witnessed.fleet.wait_synced("one", &commit).unwrap();
    assert_eq!(witnessed.manifests(), manifests);
}

#[test]
fn what_was_given_up_before_a_kill_gets_no_head_after_it() {
    let mut witnessed = Witnessed::begin();
    let head = witnessed.head();
    witnessed.push("second");
    witnessed.waits("0 of 2");
    witnessed.signed("a");
    // Back to what is in force: nothing waits any more, and the manifest stays where it was published.
    let back = witnessed.push("first");
    witnessed.fleet.wait_synced("one", &back).unwrap();
    // After the kill the tip is refused, so that nothing is rendered; the witness has not seen that commit.
    let before = witnessed.clone_now();
    witnessed.fleet.repository.write("notes.txt", "unsigned").unwrap();
    let unsigned = witnessed.fleet.repository.commit_unsigned("unsigned").unwrap();
    witnessed.fleet.repository.push().unwrap();
    witnessed.fleet.wait_verified("UnsignedCommit", &unsigned).unwrap();
    witnessed.restart();
    let done = witnessed.witness_at("b", &before);
    assert!(done.status.success(), "{done:?}");
    let signed = witnessed.signatures("b");
    assert_eq!(signed.len(), 2, "what is in force, and what was given up: {signed:?}");
    stays("the head", Duration::from_secs(2), || witnessed.head() == head && witnessed.has("first")).unwrap();
}

#[test]
fn what_waits_is_made_anew_when_the_render_key_is_exchanged() {
    let witnessed = Witnessed::begin();
    let head = witnessed.head();
    let commit = witnessed.push("second");
    witnessed.waits("0 of 2");
    witnessed.signed("a");
    witnessed.waits("1 of 2");
    let before = witnessed.manifests();
    let keys = witnessed.fleet.keys();
    let mut rotate = witnessed.fleet.muster(&["key", "rotate", "render", "--keys"]).unwrap();
    let done = rotate.arg(&keys).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    // The signature was of what the key of before had signed.
    witnessed.waits("0 of 2");
    let after = witnessed.manifests();
    assert_eq!(after.difference(&before).count(), 1, "{after:?}");
    assert_eq!(witnessed.head(), head);
    for name in ["b", "c"] {
        witnessed.signed(name);
    }
    wait_until("the second", SOON, || witnessed.has("second")).unwrap();
    witnessed.fleet.wait_synced("one", &commit).unwrap();
    let made = after.difference(&before).next().unwrap();
    let named: String = serde_json::from_slice(&witnessed.head()).unwrap();
    assert_eq!(made, &format!("{named}.json"));
}
