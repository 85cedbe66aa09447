//! `muster attest`: bundles of a real fleet at several times, checked by muster and by the stock programs, and tampered
//! with.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kept_heads::kept_heads;
use muster_schema::{Sha256Digest, Timestamp};
use muster_tests::fleet::{Fleet, OPERATOR, SOON, SandboxAgent};
use muster_tests::wait::wait_until;
use serde_json::Value;

#[path = "attest/kept_heads.rs"]
mod kept_heads;
#[path = "attest/pruning.rs"]
mod pruning;
#[path = "attest/verbatim.rs"]
mod verbatim;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const APPLICATION: &str = "applications/base/application.yaml";

struct Attesting {
    fleet: Fleet,
    agent: SandboxAgent,
    folder: tempfile::TempDir,
}

/// A folder of `muster attest`, and what is trusted of its fleet.
struct Made<'a> {
    attesting: &'a Attesting,
    path: PathBuf,
}

impl Attesting {
    /// A running fleet of one host, `one`, which has its file.
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut fleet = Fleet::make(folder.path(), LOOPBACK, None).unwrap();
        fleet.start().unwrap();
        let mut agent = SandboxAgent::make(&fleet, folder.path(), "one").unwrap();
        agent.start().unwrap();
        let attesting = Attesting { fleet, agent, folder };
        attesting.write("first");
        let approved = attesting.fleet.approve("production", "one", "applications: {base: {}}\n").unwrap();
        attesting.fleet.wait_synced("one", &approved).unwrap();
        attesting
    }

    fn write(&self, text: &str) {
        let file = format!("resources:\n  files:\n    /etc/motd: {{content: \"{text}\\n\"}}\n");
        self.fleet.repository.write(APPLICATION, file).unwrap();
    }

    fn motd(&self) -> PathBuf {
        self.agent.root().join("etc/motd")
    }

    fn push(&self, text: &str) -> String {
        self.write(text);
        self.fleet.repository.publish(text).unwrap()
    }

    fn push_and_wait(&self, text: &str) -> String {
        let commit = self.push(text);
        self.fleet.wait_synced("one", &commit).unwrap();
        commit
    }

    /// A point in time that nothing else happens at.
    fn now(&self) -> Timestamp {
        std::thread::sleep(Duration::from_millis(50));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        std::thread::sleep(Duration::from_millis(50));
        Timestamp(u64::try_from(now).unwrap())
    }

    /// Waits until a checkpoint of the status branch holds all of the audit log.
    fn checkpointed(&self) {
        let log = fs::read_to_string(self.fleet.data().join("audit.log")).unwrap();
        let lines = u64::try_from(log.lines().count()).unwrap();
        wait_until("a checkpoint", SOON, || {
            let checkpoint = self.fleet.status("audit/checkpoint.json").unwrap_or_default();
            serde_json::from_str::<Value>(&checkpoint).is_ok_and(|held| held["lines"].as_u64() >= Some(lines))
        })
        .unwrap();
    }

    fn attest(&self, at: Timestamp, name: &str) -> (Output, PathBuf) {
        let (path, at) = (self.folder.path().join(name), at.to_string());
        let (data, bare) = (self.fleet.data(), self.fleet.repository.bare());
        let mut attest = self.fleet.muster(&["attest", "one", "--at", &at]).unwrap();
        attest.arg("--out").arg(&path).arg("--data").arg(data).arg("--repo").arg(bare);
        (attest.output().unwrap(), path)
    }

    fn made(&self, at: Timestamp, name: &str) -> Made<'_> {
        let (done, path) = self.attest(at, name);
        assert!(done.status.success(), "{done:?}");
        Made { attesting: self, path }
    }

    /// Of a moment between the second and the third revision.
    fn made_between_revisions(&self) -> Made<'_> {
        self.push_and_wait("second");
        let at = self.now();
        self.push_and_wait("third");
        self.checkpointed();
        self.made(at, "bundle")
    }
}

impl Made<'_> {
    fn verify_with(&self, arguments: &[&str]) -> Output {
        let path = self.path.to_str().unwrap();
        let fixed =
            ["attest", "verify", path, "-o", "json", "--root-fingerprint", self.attesting.fleet.root_fingerprint()];
        let mut verify = self.attesting.fleet.muster(&[&fixed, arguments].concat()).unwrap();
        // No network, and nothing of the orchestrator's: only the bundle.
        verify.env_remove("MUSTER_SERVER").env_remove("MUSTER_DATA").output().unwrap()
    }

    fn verify(&self) -> Output {
        let key = self.attesting.fleet.keys().join("status.pub");
        let trust = ["--trust-commit", self.attesting.fleet.first_commit(), "--status-key", key.to_str().unwrap()];
        self.verify_with(&trust)
    }

    /// What is proved and what not, a line each.
    fn verdict(&self) -> (String, String) {
        verdict_of(&self.verify())
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path.join(name)).unwrap()).unwrap()
    }
}

fn verdict_of(done: &Output) -> (String, String) {
    let verdict: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    let lines = |value: &Value| {
        let lines = value.as_array().unwrap().iter().map(|line| match line {
            Value::String(text) => text.clone(),
            claim => format!("{} | {}", claim["what"].as_str().unwrap(), claim["by"].as_str().unwrap()),
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let expected = if verdict["not_proved"].as_array().unwrap().is_empty() { 0 } else { 1 };
    assert_eq!(done.status.code(), Some(expected), "{done:?}");
    (lines(&verdict["proved"]), lines(&verdict["not_proved"]))
}

fn assert_refused(done: &Output, what: &str) {
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code() >= Some(2) && done.stdout.is_empty(), "{what}: {done:?}");
    assert!(text.contains("the bundle proves nothing"), "{what}: {text}");
}

#[test]
fn a_bundle_tells_of_its_time() {
    let mut attesting = Attesting::begin();
    let first = attesting.now();
    let second_commit = attesting.push_and_wait("second");
    let second = attesting.now();
    fs::write(attesting.motd(), "drift\n").unwrap();
    wait_until("the repair", SOON, || fs::read_to_string(attesting.motd()).is_ok_and(|text| text == "second\n"))
        .unwrap();
    attesting
        .fleet
        .wait_host("one", "to have told of the repair", |host| host["transitions"].to_string().contains("corrective"))
        .unwrap();
    let drifted = attesting.now();
    attesting.agent.stop().unwrap();
    attesting.push("third");
    attesting.fleet.wait_host("one", "to be told of the third", |host| host["sync"] == "OutOfSync").unwrap();
    let stale = attesting.now();
    attesting.checkpointed();

    let (nothing, path) = attesting.attest(Timestamp(1_700_000_000_000), "nothing");
    let told = String::from_utf8_lossy(&nothing.stderr);
    assert!(nothing.status.code() >= Some(2) && told.contains("had been told nothing"), "{nothing:?}");
    assert!(!path.exists());

    let bundle = attesting.made(first, "first");
    let (proved, missing) = bundle.verdict();
    assert!(proved.contains("one said, by its own clock: it has applied that manifest; Healthy"), "{proved}");
    assert!(proved.contains("the next that one said"), "{proved}");
    assert!(proved.contains("the manifest is what commit"), "{proved}");
    assert!(proved.contains("wrote down that it followed") && proved.contains("the status key"), "{proved}");
    assert!(missing.contains("the next head that was kept") && missing.lines().count() == 1, "{missing}");

    let bundle = attesting.made(second, "second");
    assert_eq!(bundle.json("manifest.json")["source"]["commit"], second_commit.as_str());
    let (proved, _) = bundle.verdict();
    assert!(proved.contains(&format!("commit {second_commit} (second) says so | {OPERATOR}")), "{proved}");

    let bundle = attesting.made(drifted, "drifted");
    assert_eq!(bundle.json("manifest.json")["source"]["commit"], second_commit.as_str());
    let reports = bundle.files().iter().filter(|file| file.parent().unwrap().ends_with("reports")).count();
    assert!(reports >= 4, "two reports and their signatures, not {reports} files");
    let texts: String = bundle.files().iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    assert!(texts.contains("\"cause\":\"corrective\""));
    let (_, missing) = bundle.verdict();
    assert!(missing.contains("no later report was kept"), "{missing}");

    let bundle = attesting.made(stale, "stale");
    let (proved, missing) = bundle.verdict();
    assert!(proved.contains("it has applied another manifest"), "{proved}");
    assert!(missing.contains("its last report before"), "{missing}");

    // What was kept is still there after a restart, and no head is kept twice.
    attesting.fleet.stop().unwrap();
    attesting.fleet.start().unwrap();
    let again = attesting.made(second, "again");
    let before = fs::read(attesting.folder.path().join("second/head.json")).unwrap();
    assert_eq!(fs::read(again.path.join("head.json")).unwrap(), before);
    let kept = kept_heads(&attesting.fleet.data());
    let mut once = kept.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), kept.len());
}

#[test]
fn every_file_that_is_tampered_with_is_refused() {
    let attesting = Attesting::begin();
    let bundle = attesting.made_between_revisions();
    let good = verdict_of(&bundle.verify());
    let files = bundle.files();
    for kind in ["root.json", "head.json", "manifest.json", ".minisig", ".pub", ".payload", ".sig", ".bundle", ".tree"]
    {
        assert!(files.iter().any(|file| file.to_string_lossy().ends_with(kind)), "no {kind} in {files:?}");
    }
    for file in files.iter().filter(|file| !file.ends_with("attestation.json")) {
        let bytes = fs::read(file).unwrap();
        let name = file.strip_prefix(&bundle.path).unwrap().display().to_string();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            fs::write(file, &other).unwrap();
            assert_refused(&bundle.verify(), &format!("{name} at {at}"));
        }
        fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
        assert_refused(&bundle.verify(), &format!("{name} cut"));
        // A file that is taken out is missed, or what it showed is said to be not proved.
        fs::remove_file(file).unwrap();
        let without = bundle.verify();
        if without.status.code() == Some(1) {
            let (less, missing) = verdict_of(&without);
            assert!(less.len() < good.0.len() && !missing.is_empty(), "{name}: {missing}");
            let optional = name.starts_with("reports/") || name.starts_with("next-head") || name.starts_with("audit");
            assert!(optional, "{name} is not missed");
        } else {
            assert_refused(&without, &format!("without {name}"));
        }
        fs::write(file, &bytes).unwrap();
    }
    fs::write(bundle.path.join("more.json"), "{}").unwrap();
    assert_refused(&bundle.verify(), "a file more");
    fs::remove_file(bundle.path.join("more.json")).unwrap();

    let index = bundle.json("attestation.json");
    let later = bundle.json("next-head.json")["issued"].as_u64().unwrap();
    let others = [
        ("host", Value::from("two")),
        ("fleet", Value::from("other")),
        ("branch", Value::from("other")),
        ("at", Value::from(later)),
        ("at", Value::from(1)),
        ("checkpoint", Value::from("0".repeat(40))),
        ("type", Value::from("head")),
        ("more", Value::from(1)),
    ];
    for (field, value) in others {
        let mut other = index.clone();
        other[field] = value.clone();
        fs::write(bundle.path.join("attestation.json"), other.to_string()).unwrap();
        assert_refused(&bundle.verify(), &format!("{field} {value}"));
    }
    fs::write(bundle.path.join("attestation.json"), index.to_string()).unwrap();
    assert_eq!(verdict_of(&bundle.verify()), good, "the next good one is taken");

    // Trusting something else makes it no proof.
    let other = bundle.verify_with(&["--trust-commit", &"1".repeat(40)]);
    assert_refused(&other, "another commit");
    let key = attesting.fleet.repository.key().with_extension("pub");
    assert_refused(&bundle.verify_with(&["--status-key", key.to_str().unwrap()]), "another status key");
    let (_, missing) = verdict_of(&bundle.verify_with(&[]));
    assert!(missing.contains("--trust-commit") && missing.contains("--status-key"), "{missing}");
}

#[test]
fn git_ssh_keygen_and_minisign_agree() {
    let attesting = Attesting::begin();
    let bundle = attesting.made_between_revisions();
    let operator = |program: &str| {
        let mut command = Command::new(program);
        attesting.fleet.repository.as_operator(&mut command);
        command.current_dir(&bundle.path);
        command
    };
    let done = |mut command: Command| {
        let done = command.output().unwrap();
        assert!(done.status.success(), "{command:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
    };

    let mut verified = 0;
    for signature in bundle.files().iter().filter(|file| file.extension().is_some_and(|kind| kind == "minisig")) {
        let name = signature.file_stem().unwrap().to_str().unwrap();
        let (_, key) = name.rsplit_once('.').unwrap();
        let file = signature.with_file_name(name.rsplit_once('.').unwrap().0);
        let mut minisign = operator("minisign");
        minisign.arg("-VHm").arg(file).arg("-x").arg(signature).arg("-p").arg(format!("keys/{key}.pub"));
        done(minisign);
        verified += 1;
    }
    assert!(verified >= 6, "{verified}");

    let clone = attesting.folder.path().join("clone");
    let mut git = operator("git");
    git.args(["clone", "--quiet", "--bare", "--branch", "main", "repository.bundle"]).arg(&clone);
    done(git);
    let git = |arguments: &[&str]| {
        let mut git = operator("git");
        git.arg("--git-dir").arg(&clone).args(arguments);
        done(git)
    };
    git(&["fsck", "--strict"]);
    let source = bundle.json("manifest.json")["source"]["commit"].as_str().unwrap().to_owned();
    let signers = format!("commits/{source}.allowed_signers");
    let parent = git(&["show", &format!("{source}^:policy/allowed_signers")]);
    assert_eq!(parent, fs::read_to_string(bundle.path.join(&signers)).unwrap());
    let allowed = format!("gpg.ssh.allowedSignersFile={}", bundle.path.join(&signers).display());
    let told = git(&["-c", &allowed, "verify-commit", &source]);
    assert!(told.contains("Good \"git\" signature for operator@example.org"), "{told}");

    let keygen = |commit: &str, principal: &str, signers: &str| {
        let mut keygen = operator("ssh-keygen");
        keygen.args([
            "-Y",
            "verify",
            "-n",
            "git",
            "-I",
            principal,
            "-f",
            signers,
            "-s",
            &format!("commits/{commit}.sig"),
        ]);
        keygen.stdin(fs::File::open(bundle.path.join(format!("commits/{commit}.payload"))).unwrap());
        done(keygen)
    };
    keygen(&source, OPERATOR, &signers);
    let status = bundle.json("attestation.json")["checkpoint"].as_str().unwrap().to_owned();
    let key = fs::read_to_string(attesting.fleet.keys().join("status.pub")).unwrap();
    let list = attesting.folder.path().join("status_signers");
    fs::write(&list, format!("status {key}")).unwrap();
    keygen(&status, "status", list.to_str().unwrap());

    for object in fs::read_dir(bundle.path.join("status")).unwrap().map(|entry| entry.unwrap().path()) {
        let kind = object.extension().unwrap().to_str().unwrap();
        let id = git(&["hash-object", "-w", "-t", kind, "--literally", object.to_str().unwrap()]);
        assert_eq!(id.trim(), object.file_stem().unwrap().to_str().unwrap());
    }
    let checkpoint: Value =
        serde_json::from_str(&git(&["cat-file", "-p", &format!("{status}:audit/checkpoint.json")])).unwrap();
    let log = fs::read_to_string(bundle.path.join("audit.log")).unwrap();
    let last = Sha256Digest::of(log.lines().last().unwrap().as_bytes());
    assert_eq!(checkpoint["last"], last.to_string());
}
