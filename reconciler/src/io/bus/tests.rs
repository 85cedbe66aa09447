//! A door with a cycle behind it that writes down what it is given.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod attack;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use minisign::KeyPair;
use muster_schema::envelope::{Signature, join_frame, split_frame};
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{
    Announce, Body, ChallengeAnswer, Fetch, HeadReply, HintRequest, Message, Party, Presence, Receipt,
};
use muster_schema::report::Report;
use muster_schema::state::Health;
use muster_schema::{FleetName, HostId, PublicKey, ReceiptCode, Timestamp};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::enrolment::test_announce::announce_with;
use crate::inbound::{ApprovedHost, ApprovedHosts, ReplayMarks};
use crate::io::clock;
use crate::io::signer::{FileSigner, Signer};

mod door;
mod enrolment;
mod http;
mod live;

/// One agent's keys.
struct Host {
    id: HostId,
    pair: KeyPair,
    age: age::x25519::Identity,
}

impl Host {
    fn new(id: &str) -> Self {
        let pair = KeyPair::generate_unencrypted_keypair().unwrap();
        Host { id: id.parse().unwrap(), pair, age: age::x25519::Identity::generate() }
    }

    fn key(&self) -> PublicKey {
        self.pair.pk.to_base64().parse().unwrap()
    }

    fn recipient(&self) -> String {
        self.age.to_public().to_string()
    }

    fn identity(&self) -> HostIdentity {
        HostIdentity { id: self.id.clone(), key: self.key() }
    }

    fn approved(&self) -> ApprovedHost {
        ApprovedHost { id: self.id.clone(), key: self.key(), recipient: Some(self.recipient()), leaving: false }
    }

    fn message(&self, body: Body) -> Message {
        static SEQ: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let now = clock::now();
        let seq = SEQ.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Message {
            fleet: "shop".parse().unwrap(),
            from: Party::Host(self.identity()),
            to: Party::Orchestrator,
            id: format!("{seq:032x}"),
            seq,
            issued: now,
            expires: now.plus(Duration::from_secs(60)),
            in_reply_to: None,
            body,
        }
    }

    fn frame(&self, message: &Message) -> Vec<u8> {
        let payload = message.to_bytes().unwrap();
        let text = minisign::sign(None, &self.pair.sk, payload.as_slice(), Some("t"), Some("u")).unwrap();
        join_frame(&Signature::load(text.into_string().as_bytes()).unwrap(), &payload)
    }

    fn sign(&self, body: Body) -> Vec<u8> {
        self.frame(&self.message(body))
    }

    fn announce(&self) -> Body {
        Body::Announce(Box::new(announce_with(self.id.as_str(), self.recipient())))
    }
}

fn presence() -> Body {
    Body::Presence(Presence { agent: "0.1.0".into(), start: None, heard: None })
}

fn report() -> Body {
    Body::Report(Box::new(Report {
        applied: None,
        health: Health::Healthy,
        reason: String::new(),
        message: String::new(),
        counts: Default::default(),
        deviations: Vec::new(),
        exceptions: Vec::new(),
        transitions: Vec::new(),
        rejections: Vec::new(),
        retired: false,
        break_glass: None,
    }))
}

/// The orchestrator's end.
struct Fleet {
    inbound: Arc<Inbound>,
    fresh: PublicKey,
    /// What the cycle was given, in order.
    taken: Arc<Mutex<Vec<Message>>>,
    dir: TempDir,
}

impl Fleet {
    fn new() -> Self {
        Fleet::with_marks(tempfile::tempdir().unwrap(), ReplayMarks::default())
    }

    fn with_marks(dir: TempDir, marks: ReplayMarks) -> Self {
        let stem = dir.path().join("fresh");
        let fresh = FileSigner::load(&stem.with_extension("key"), None)
            .or_else(|_| FileSigner::generate(&stem, "fresh", None))
            .unwrap();
        let fresh_key = fresh.public_key();
        let (cycle, mut messages) = mpsc::channel::<InboundMessage>(16);
        let settings = InboundSettings {
            fleet: "shop".parse::<FleetName>().unwrap(),
            fresh: Arc::new(fresh),
            enrolment_dir: &dir.path().join("enrolment"),
            marks,
            audit: Arc::new(crate::io::audit::AuditLog::open(dir.path()).unwrap()),
            cycle,
        };
        let inbound = Inbound::open(settings).unwrap();
        let taken: Arc<Mutex<Vec<Message>>> = Arc::default();
        let log = taken.clone();
        tokio::spawn(async move {
            while let Some(InboundMessage { message, respond, .. }) = messages.recv().await {
                let body = match &message.body {
                    Body::HeadRequest(_) => Body::HeadReply(HeadReply { head: None, signature: None, root: None }),
                    _ => super::reply::accept(ReceiptCode::Accepted, ""),
                };
                log.lock().unwrap().push(message);
                let _ = respond.send(body);
            }
        });
        Fleet { inbound, fresh: fresh_key, taken, dir }
    }

    fn approve(&self, hosts: &[&Host]) {
        self.inbound.set_approved(hosts.iter().map(|host| host.approved()).collect::<ApprovedHosts>());
    }

    /// Approves hosts and takes each through its challenge.
    async fn enrol(&self, hosts: &[&Host]) {
        self.approve(hosts);
        for host in hosts {
            assert_eq!(self.prove(host).await, Ok(host.id.clone()));
        }
        self.taken.lock().unwrap().clear();
    }

    /// Announces, answers the challenge, and gives the id of `Enrolled`.
    async fn prove(&self, host: &Host) -> Result<HostId, Body> {
        match self.ask(host, host.announce()).await {
            Body::Challenge(challenge) => {
                let answer = answer(host, &challenge.ciphertext);
                match self.ask(host, Body::ChallengeAnswer(answer)).await {
                    Body::Enrolled(enrolled) => Ok(enrolled.id),
                    other => Err(other),
                }
            }
            other => Err(other),
        }
    }

    async fn send(&self, frame: &[u8]) -> Reply {
        self.inbound.handle_frame(frame, Source::Address([192, 0, 2, 1].into())).await
    }

    /// Sends a message of `host` and gives the verified body of the reply.
    async fn ask(&self, host: &Host, body: Body) -> Body {
        let message = host.message(body);
        self.body_of(&message, self.send(&host.frame(&message)).await)
    }

    /// The body of a reply to `message`, its signature and address checked.
    fn body_of(&self, message: &Message, reply: Reply) -> Body {
        let (Reply::Taken(frame) | Reply::Refused(_, frame)) = reply else { panic!("no frame: {reply:?}") };
        let (signature, payload) = split_frame(&frame).unwrap();
        signature.verify(payload, &self.fresh).unwrap();
        let answer = Message::load(payload).unwrap();
        assert_eq!((&answer.from, &answer.to), (&Party::Orchestrator, &message.from));
        assert_eq!(answer.in_reply_to.as_ref(), Some(&message.id));
        answer.body
    }

    fn taken(&self) -> Vec<u64> {
        self.taken.lock().unwrap().iter().map(|message| message.seq).collect()
    }

    fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    /// Serves over HTTP until the test ends.
    async fn serve(&self) -> SocketAddr {
        let limits = HttpLimits { connections: 64, head: Duration::from_secs(1), ..HttpLimits::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = agent_router(self.inbound.clone(), self.tree());
        tokio::spawn(serve_http(listener, router, limits, None, std::future::pending()));
        address
    }
}

fn answer(host: &Host, ciphertext: &str) -> ChallengeAnswer {
    use base64::Engine;
    let ciphertext = base64::engine::general_purpose::STANDARD.decode(ciphertext).unwrap();
    let secret = age::decrypt(&host.age, &ciphertext).unwrap();
    ChallengeAnswer { answer: hex::encode(secret), recipient: host.recipient(), broker_hash: None }
}

/// The code of a receipt.
fn code(body: &Body) -> Option<ReceiptCode> {
    match body {
        Body::Receipt(receipt) => ReceiptCode::load(&receipt.code),
        _ => None,
    }
}
