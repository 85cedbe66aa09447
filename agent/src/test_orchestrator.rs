//! An orchestrator for tests: real keys, real documents, a published tree in memory, and every way to cheat.

#![allow(clippy::unwrap_used)]

use crate::io::clock;
use crate::io::transport::{Fetched, Transport, TransportError, Waited};
use crate::message::SignedMessage;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use minisign::KeyPair;
use muster_schema::api::Method;
use muster_schema::content::BlobRef;
use muster_schema::envelope::{Signature, join_frame, split_frame};
use muster_schema::head::Head;
use muster_schema::manifest::{HostIdentity, Manifest};
use muster_schema::message::{Body, Enrolled, HeadReply, LiveAnswer, LiveRequest, Message, Party, Receipt};
use muster_schema::report::Report;
use muster_schema::root::{Role, Roles, Root, RootType};
use muster_schema::{FleetName, HostId, PublicKey, Sha256Digest, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// A key pair and what it may sign.
pub(crate) struct TestKey {
    pair: KeyPair,
}

impl TestKey {
    pub(crate) fn new() -> TestKey {
        TestKey { pair: KeyPair::generate_unencrypted_keypair().unwrap() }
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.pair.pk.to_base64().parse().unwrap()
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Signature {
        let text = minisign::sign(None, &self.pair.sk, bytes, Some("t"), Some("u")).unwrap();
        Signature::load(text.into_string().as_bytes()).unwrap()
    }
}

pub(crate) struct TestOrchestrator {
    pub(crate) root_key: TestKey,
    pub(crate) render: TestKey,
    pub(crate) fresh: TestKey,
    pub(crate) fleet: FleetName,
    pub(crate) host: HostIdentity,
    state: Mutex<State>,
    hint: Notify,
    pub(crate) reported: Notify,
}

#[derive(Default)]
struct State {
    tree: BTreeMap<String, Vec<u8>>,
    head: Option<Head>,
    /// Sent byte for byte instead of the head that is asked for.
    replayed: Option<(String, String)>,
    reports: Vec<Report>,
    silent: bool,
    /// So many head requests are refused yet.
    refusals: u32,
    hints: u64,
    serial: u64,
    /// The newest root that is told of in replies.
    root: Option<u64>,
    /// What the next root has in the place of `fresh`.
    next_fresh: Option<Arc<TestKey>>,
    /// Frames of live requests, and what was answered, by the request's id.
    requests: Vec<Vec<u8>>,
    shift: i64,
    answers: Vec<(String, LiveAnswer)>,
}

impl TestOrchestrator {
    pub(crate) fn new(host_key: PublicKey) -> TestOrchestrator {
        let made = TestOrchestrator {
            root_key: TestKey::new(),
            render: TestKey::new(),
            fresh: TestKey::new(),
            fleet: "test".parse().unwrap(),
            host: HostIdentity { id: "web-1".parse().unwrap(), key: host_key },
            state: Mutex::default(),
            hint: Notify::new(),
            reported: Notify::new(),
        };
        made.publish_root(1, 1, &[&made.root_key]);
        made
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn root(&self, version: u64, epoch: u64) -> Root {
        let role = |key: &TestKey| Role { threshold: 1, keys: vec![key.public()] };
        let (root, render, fresh) = (role(&self.root_key), role(&self.render), role(&self.fresh));
        Root {
            r#type: RootType::Is,
            fleet: self.fleet.clone(),
            version,
            epoch,
            expires: Timestamp(u64::MAX),
            roles: Roles { root, render, fresh, witness: Role::none(), breakglass: Role::none() },
        }
    }

    pub(crate) fn publish_root(&self, version: u64, epoch: u64, signers: &[&TestKey]) {
        self.put_root(&self.root(version, epoch), version, signers);
    }

    /// Puts a root document into the place of a version, whatever it says.
    pub(crate) fn put_root(&self, root: &Root, version: u64, signers: &[&TestKey]) {
        let bytes = serde_json::to_vec(root).unwrap();
        for name in ["root.json".to_owned(), format!("{version}.root.json")] {
            for signer in signers {
                let path = format!("{name}.{}.minisig", signer.public().id());
                self.put(&path, signer.sign(&bytes).text().as_bytes());
            }
            self.put(&name, &bytes);
        }
    }

    /// From now on replies tell that there is this version of the root document.
    pub(crate) fn tell_root(&self, version: u64) {
        self.state().root = Some(version);
        self.hint_now();
    }

    fn hint_now(&self) {
        self.state().hints += 1;
        self.hint.notify_one();
    }

    /// Signs heads and replies with this key from now on.
    pub(crate) fn set_fresh(&self, key: Arc<TestKey>) {
        self.state().next_fresh = Some(key);
    }

    fn sign_fresh(&self, bytes: &[u8]) -> Signature {
        let next = self.state().next_fresh.clone();
        next.as_deref().unwrap_or(&self.fresh).sign(bytes)
    }

    /// Sets its clock off by so many milliseconds; the host's is off the other way, as seen from here.
    pub(crate) fn shift_clock(&self, millis: i64) {
        self.state().shift = millis;
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(clock::now().0.saturating_add_signed(self.state().shift))
    }

    pub(crate) fn fingerprint(&self) -> Sha256Digest {
        Sha256Digest::of(&self.state().tree["1.root.json"])
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.state().tree.insert(path.to_owned(), bytes.to_vec());
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        self.state().tree[path].clone()
    }

    /// A blob of the tree, as a `content` attribute names it.
    pub(crate) fn blob(&self, text: &str) -> Value {
        self.binary_blob(text.as_bytes())
    }

    pub(crate) fn binary_blob(&self, bytes: &[u8]) -> Value {
        let blob = BlobRef::of(bytes);
        self.put(&format!("blobs/{}", blob.sha256), bytes);
        json!(blob)
    }

    pub(crate) fn manifest(&self, serial: u64, resources: &Value) -> Manifest {
        let resources: Vec<Value> = resources
            .as_object()
            .unwrap()
            .iter()
            .map(|(address, attributes)| {
                let mut attributes = attributes.clone();
                let fields = attributes.as_object_mut().unwrap();
                let exception = fields.remove("exception");
                let meta = fields.remove("meta").unwrap_or_else(|| json!({}));
                json!({"address": address, "meta": meta, "attributes": attributes, "exception": exception})
            })
            .collect();
        serde_json::from_value(json!({
            "type": "manifest", "schema": 1, "fleet": self.fleet, "host": self.host, "epoch": 1, "serial": serial,
            "source": {"commit": "0".repeat(40), "policy_version": 0}, "renderer": {"version": "0"},
            "resources": resources, "min_agent": 1,
        }))
        .unwrap()
    }

    /// Signs and lays down a manifest, and gives the head for it.
    pub(crate) fn lay_down(&self, manifest: &Manifest) -> Head {
        let bytes = serde_json::to_vec(manifest).unwrap();
        let digest = Sha256Digest::of(&bytes);
        let path = format!("hosts/{}/{digest}.json", self.host.id);
        self.put(&format!("{path}.{}.minisig", self.render.public().id()), self.render.sign(&bytes).text().as_bytes());
        self.put(&path, &bytes);
        let now = self.now();
        serde_json::from_value(json!({
            "type": "head", "fleet": self.fleet, "host": self.host, "epoch": manifest.epoch, "serial": manifest.serial,
            "manifest": digest, "revision": "1".repeat(40), "issued": now,
            "expires": now.plus(Duration::from_secs(3600)),
        }))
        .unwrap()
    }

    pub(crate) fn set_head(&self, head: Head) {
        self.state().replayed = None;
        self.state().head = Some(head);
        self.hint_now();
    }

    /// From now on the host is answered with exactly these bytes.
    pub(crate) fn replay(&self, head: &[u8], signature: &Signature) {
        self.replay_text(String::from_utf8(head.to_vec()).unwrap(), signature.text().to_owned());
    }

    /// As [`TestOrchestrator::replay`], with any text in the place of the signature.
    pub(crate) fn replay_text(&self, head: String, signature: String) {
        self.state().replayed = Some((head, signature));
        self.state().hints += 1;
        self.hint.notify_one();
    }

    /// Publishes the next manifest with these resources.
    pub(crate) fn publish(&self, resources: &Value) -> Head {
        let serial = {
            let mut state = self.state();
            state.serial += 1;
            state.serial
        };
        let head = self.lay_down(&self.manifest(serial, resources));
        self.set_head(head.clone());
        head
    }

    pub(crate) fn set_silent(&self, silent: bool) {
        self.state().silent = silent;
        self.hint.notify_one();
    }

    /// Refuses the next head requests, and answers everything else.
    pub(crate) fn refuse_heads(&self, count: u32) {
        self.state().refusals = count;
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.state().reports.clone()
    }

    /// A live request to the host, good for a minute.
    pub(crate) fn live_request(&self, id: u8, method: Method, target: &str) -> Message {
        Message {
            fleet: self.fleet.clone(),
            from: Party::Orchestrator,
            to: Party::Host(self.host.clone()),
            id: format!("{id:02x}").repeat(16),
            seq: 1,
            issued: clock::now(),
            expires: clock::now().plus(Duration::from_secs(60)),
            in_reply_to: None,
            body: Body::LiveRequest(LiveRequest { method, target: target.to_owned() }),
        }
    }

    /// Hands out a request, signed by `key`, at the next poll.
    pub(crate) fn hand_out(&self, request: &Message, key: &TestKey) {
        let payload = request.to_bytes().unwrap();
        self.state().requests.push(join_frame(&key.sign(&payload), &payload));
        self.hint.notify_one();
    }

    /// What was answered to the request of this number, each time.
    pub(crate) fn answers(&self, id: u8) -> Vec<LiveAnswer> {
        let id = format!("{id:02x}").repeat(16);
        self.state().answers.iter().filter(|(to, _)| *to == id).map(|(_, answer)| answer.clone()).collect()
    }

    fn answer(&self, message: &Message) -> Body {
        let mut state = self.state();
        let next_fresh = state.next_fresh.clone();
        let fresh = next_fresh.as_deref().unwrap_or(&self.fresh);
        match &message.body {
            Body::Announce(_) => Body::Enrolled(Enrolled { id: self.host.id.clone() }),
            Body::HeadRequest(_) if state.refusals > 0 => {
                state.refusals -= 1;
                receipt(false, "NotEnrolled")
            }
            Body::HeadRequest(request) => {
                let root = state.root;
                if let Some((head, signature)) = state.replayed.clone() {
                    return Body::HeadReply(HeadReply { head: Some(head), signature: Some(signature), root });
                }
                let Some(mut head) = state.head.clone() else {
                    return Body::HeadReply(HeadReply { head: None, signature: None, root });
                };
                head.nonce = Some(request.nonce.clone());
                let text = serde_json::to_string(&head).unwrap();
                let signature = fresh.sign(text.as_bytes()).text().to_owned();
                Body::HeadReply(HeadReply { head: Some(text), signature: Some(signature), root })
            }
            Body::LiveAnswer(answer) => {
                state.answers.push((message.in_reply_to.clone().unwrap(), answer.clone()));
                receipt(true, "Accepted")
            }
            Body::Report(report) => {
                state.reports.push((**report).clone());
                self.reported.notify_one();
                receipt(true, "Accepted")
            }
            _ => receipt(true, "Accepted"),
        }
    }
}

fn receipt(accepted: bool, code: &str) -> Body {
    Body::Receipt(Receipt { accepted, code: code.to_owned(), message: String::new(), seq: None })
}

fn unreachable() -> TransportError {
    TransportError::TimedOut { endpoint: "test".to_owned() }
}

impl Transport for TestOrchestrator {
    fn request<'a>(&'a self, message: &'a SignedMessage) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        async move {
            if self.state().silent {
                return Err(unreachable());
            }
            let (signature, payload) = split_frame(&message.frame).unwrap();
            signature.verify(payload, &self.host.key).unwrap();
            let asked = Message::load(payload).unwrap();
            let reply = Message {
                fleet: self.fleet.clone(),
                from: Party::Orchestrator,
                to: asked.from.clone(),
                id: "f".repeat(32),
                seq: 1,
                issued: self.now(),
                expires: self.now().plus(Duration::from_secs(60)),
                in_reply_to: Some(asked.id.clone()),
                body: self.answer(&asked),
            };
            let payload = reply.to_bytes().unwrap();
            Ok(join_frame(&self.sign_fresh(&payload), &payload))
        }
        .boxed()
    }

    fn fetch<'a>(
        &'a self,
        path: &'a str,
        _: Option<&'a SignedMessage>,
        cap: usize,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>> {
        let found = match self.state() {
            state if state.silent => Err(unreachable()),
            state => match state.tree.get(path) {
                Some(bytes) if bytes.len() > cap => Err(TransportError::TooLarge { path: path.to_owned(), cap }),
                Some(bytes) => Ok(Fetched::File(bytes.clone())),
                None => Ok(Fetched::Missing),
            },
        };
        async move { found }.boxed()
    }

    fn wait_for_hint<'a>(&'a self, _: &'a SignedMessage) -> BoxFuture<'a, Result<Waited, TransportError>> {
        async move {
            self.hint.notified().await;
            let mut state = self.state();
            if state.silent {
                return Err(unreachable());
            }
            if let Some(frame) = state.requests.pop() {
                self.hint.notify_one();
                return Ok(Waited::Request(frame));
            }
            let hint = serde_json::from_value(json!({"hint": state.hints})).unwrap();
            Ok(Waited::Hint(hint))
        }
        .boxed()
    }
}

/// The id of the host in tests.
pub(crate) fn host_id() -> HostId {
    "web-1".parse().unwrap()
}
