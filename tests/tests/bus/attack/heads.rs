//! Heads that do not stand, each from an orchestrator whose key signs whatever it is given, to a real agent. After each
//! the host is as it was, the code is reported, and the next good head is followed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use minisign::KeyPair;
use muster_reconciler::inbound::ApprovedHost;
use muster_reconciler::io::signer::Signer;
use muster_schema::message::{Body, HeadReply};
use muster_schema::{HostId, PublicKey, Sha256Digest};
use muster_tests::broker::Broker;
use muster_tests::fleet::SOON;
use muster_tests::process::{Process, command, tail};
use muster_tests::wait::{wait_for, wait_until};
use muster_tests::{need, programs};
use serde_json::{Value, json};

use crate::parties::Orchestrator;

/// The orchestrator's published tree and keys, and one agent that manages a folder.
struct Scene {
    orchestrator: Orchestrator,
    render: KeyPair,
    key: PublicKey,
    serial: u64,
    agent: Process,
    folder: tempfile::TempDir,
    _broker: Option<Broker>,
}

fn public(pair: &KeyPair) -> PublicKey {
    pair.pk.to_base64().parse().unwrap()
}

fn sign(pair: &KeyPair, bytes: &[u8]) -> String {
    minisign::sign(None, &pair.sk, bytes, Some("t"), Some("u")).unwrap().into_string()
}

impl Scene {
    async fn begin(broker: Option<Broker>) -> Scene {
        let orchestrator = match &broker {
            Some(broker) => Orchestrator::start_on(broker).await,
            None => Orchestrator::start().await,
        };
        let [root, render] = [0, 1].map(|_| KeyPair::generate_unencrypted_keypair().unwrap());
        let role = |key: PublicKey| json!({"threshold": 1, "keys": [key]});
        let document = json!({
            "type": "root", "fleet": "shop", "version": 1, "epoch": 1, "expires": u64::MAX,
            "roles": {"root": role(public(&root)), "render": role(public(&render)), "fresh": role(orchestrator.fresh)},
        });
        let bytes = serde_json::to_vec(&document).unwrap();
        for name in ["root.json", "1.root.json"] {
            orchestrator.publish(name, &bytes);
            orchestrator.publish(&format!("{name}.{}.minisig", public(&root).id()), sign(&root, &bytes).as_bytes());
        }

        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("root/etc")).unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let bus = broker.as_ref().map(|broker| format!("bus: \"{}\"\n", broker.url())).unwrap_or_default();
        let settings = format!(
            "url: \"{}\"\nroot_fingerprint: \"{}\"\nname: web-1\nroot: {}\nstate: {}\n{bus}",
            orchestrator.url(),
            Sha256Digest::of(&bytes),
            at("root"),
            at("state"),
        );
        fs::write(folder.path().join("agent.yaml"), settings).unwrap();
        let mut run = command(programs::agent().unwrap());
        run.args(["run", "--config"]).arg(folder.path().join("agent.yaml")).env("HOME", folder.path());
        let agent = Process::start("muster-agent", run, &folder.path().join("agent.log")).unwrap();
        let pending = wait_for("the announcement", SOON, || orchestrator.inbound.pending().pop()).unwrap();
        let (id, recipient) = (host(), Some(pending.announce.recipient.clone()));
        let approved = ApprovedHost { id, key: pending.key, recipient, leaving: false };
        orchestrator.inbound.set_approved([approved].into_iter().collect());
        Scene { orchestrator, render, key: pending.key, serial: 0, agent, folder, _broker: broker }
    }

    fn motd(&self) -> PathBuf {
        self.folder.path().join("root/etc/motd")
    }

    /// Lays down a manifest with this text in the file, and gives the head for it, without a nonce.
    fn lay_down(&self, serial: u64, text: &str) -> (Value, Vec<u8>) {
        let blob = Sha256Digest::of(text.as_bytes());
        self.orchestrator.publish(&format!("blobs/{blob}"), text.as_bytes());
        let identity = json!({"id": "web-1", "key": self.key});
        let attributes = json!({"content": {"sha256": blob, "size": text.len()}});
        let manifest = json!({
            "type": "manifest", "schema": 1, "fleet": "shop", "host": identity, "epoch": 1, "serial": serial,
            "source": {"commit": "0".repeat(40), "policy_version": 0}, "renderer": {"version": "0"},
            "resources": [{"address": "files/etc/motd", "meta": {}, "attributes": attributes}], "min_agent": 1,
        });
        let bytes = serde_json::to_vec(&manifest).unwrap();
        let path = format!("hosts/web-1/{}.json", Sha256Digest::of(&bytes));
        self.orchestrator.publish(&path, &bytes);
        let signature = sign(&self.render, &bytes);
        self.orchestrator.publish(&format!("{path}.{}.minisig", public(&self.render).id()), signature.as_bytes());
        let now = muster_agent::io::clock::now();
        let head = json!({
            "type": "head", "fleet": "shop", "host": identity, "epoch": 1, "serial": serial,
            "manifest": Sha256Digest::of(&bytes), "revision": "1".repeat(40), "issued": now,
            "expires": now.plus(Duration::from_secs(3600)),
        });
        (head, bytes)
    }

    /// From now on requests for heads are answered so; the agent is told to ask.
    fn answer(&self, make: impl Fn(&str) -> (String, String) + Send + Sync + 'static) {
        self.orchestrator.answer_heads(move |nonce| {
            let (head, signature) = make(nonce);
            HeadReply { head: Some(head), signature: Some(signature), root: None }
        });
        self.orchestrator.inbound.hints().notify_hosts([&host()]);
    }

    /// Publishes the next good manifest, and waits until the host has it.
    fn go_on(&mut self) {
        self.serial += 1;
        let text = format!("good {}", self.serial);
        let (head, _) = self.lay_down(self.serial, &text);
        let signer = self.orchestrator.fresh_signer();
        self.answer(move |nonce| {
            let mut head = head.clone();
            head["nonce"] = nonce.into();
            let head = head.to_string();
            let signature = signer.sign(head.as_bytes(), "t").unwrap().text().to_owned();
            (head, signature)
        });
        wait_until(&text, SOON, || fs::read_to_string(self.motd()).is_ok_and(|found| found == text))
            .unwrap_or_else(|error| panic!("{error}\n{}", tail(&self.agent.output())));
    }

    /// A head that is made of `head` and the nonce, with a signature that is made of the right one.
    fn refused(
        &mut self,
        code: &str,
        head: impl Fn(&str) -> Value + Send + Sync + 'static,
        text: impl Fn(String) -> String + Send + Sync + 'static,
        signature: impl Fn(String) -> String + Send + Sync + 'static,
        is_signed_after: bool,
    ) {
        let before = self.orchestrator.taken.lock().unwrap().len();
        let signer = self.orchestrator.fresh_signer();
        self.answer(move |nonce| {
            let right = head(nonce).to_string();
            let wrong = text(right.clone());
            let signed = if is_signed_after { &wrong } else { &right };
            let made = signer.sign(signed.as_bytes(), "t").unwrap().text().to_owned();
            (wrong, signature(made))
        });
        let told = || {
            let taken = self.orchestrator.taken.lock().unwrap();
            taken.iter().skip(before).any(|message| match &message.body {
                Body::Report(report) => report.rejections.iter().any(|rejection| rejection.code == code),
                _ => false,
            })
        };
        wait_until(code, SOON, told).unwrap_or_else(|error| panic!("{error}\n{}", tail(&self.agent.output())));
        let good = format!("good {}", self.serial);
        assert_eq!(fs::read_to_string(self.motd()).unwrap(), good, "{code}: the host was touched");
        self.go_on();
    }
}

fn host() -> HostId {
    "web-1".parse().unwrap()
}

/// A head with the nonce that was asked with.
fn fresh(head: Value) -> impl Fn(&str) -> Value + Send + Sync + 'static {
    move |nonce| {
        let mut head = head.clone();
        head["nonce"] = nonce.into();
        head
    }
}

fn same(text: String) -> String {
    text
}

fn all_heads(mut scene: Scene) {
    scene.go_on();
    scene.go_on();
    let (older, _) = scene.lay_down(1, "evil");
    scene.refused("HeadOlder", fresh(older), same, same, true);
    let (twice, _) = scene.lay_down(scene.serial, "evil");
    scene.refused("HeadSerialConflict", fresh(twice), same, same, true);
    let (replayed, _) = scene.lay_down(scene.serial + 1, "evil");
    scene.refused("HeadNonce", move |_| replayed.clone(), same, same, true);
    let (mut old_manifest, _) = scene.lay_down(1, "evil");
    old_manifest["serial"] = (scene.serial + 5).into();
    scene.refused("ManifestSerial", fresh(old_manifest), same, same, true);
    let next = |scene: &Scene| scene.lay_down(scene.serial + 1, "evil").0;
    let mut of_other = next(&scene);
    of_other["host"]["key"] = json!(public(&KeyPair::generate_unencrypted_keypair().unwrap()));
    scene.refused("HeadOtherHost", fresh(of_other), same, same, true);
    let mut elsewhere = next(&scene);
    elsewhere["fleet"] = "other".into();
    scene.refused("HeadOtherFleet", fresh(elsewhere), same, same, true);
    let flip = |text: String| text.replacen("\"epoch\":1", "\"epoch\":2", 1);
    scene.refused("HeadSignature", fresh(next(&scene)), flip, same, false);
    // `RUQ` is the base64 of minisign's `ED` and the start of a key, `RWQ` that of the legacy `Ed`.
    let legacy = |text: String| text.replacen("\nRU", "\nRW", 1);
    scene.refused("HeadSignature", fresh(next(&scene)), same, legacy, true);
    scene.refused("HeadSignature", fresh(next(&scene)), same, |text| text.replace('\n', "\r\n"), true);
    let (_, manifest) = scene.lay_down(scene.serial + 1, "evil");
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    scene.refused("HeadMalformed", move |_| manifest.clone(), same, same, true);
    let twice = |text: String| text.replacen('{', "{\"serial\":9,", 1);
    scene.refused("HeadMalformed", fresh(next(&scene)), twice, same, true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a12_a13_a14_a15_a16_a20_a21_a23_a24_a25_heads_http() {
    all_heads(Scene::begin(None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a12_a13_a14_a15_a16_a20_a21_a23_a24_a25_heads_amqp() {
    if need::has(need::BROKER) {
        all_heads(Scene::begin(Some(Broker::start().unwrap())).await);
    }
}
