//! An orchestrator's door with a cycle that writes down what it takes, and agents.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster_agent::enrol::{Step, enrol_once};
use muster_agent::io::amqp::AmqpTransport;
use muster_agent::io::host_keys::HostKeys;
use muster_agent::io::http::HttpTransport;
use muster_agent::io::messenger::Messenger;
use muster_agent::io::transport::Transport;
use muster_agent::message::{Sender, SignedMessage};
use muster_reconciler::inbound::{ApprovedHost, ApprovedHosts, ReplayMarks};
use muster_reconciler::io::bus::{
    BrokerState, HttpLimits, Inbound, InboundMessage, InboundSettings, agent_router, require_client_certificate,
    serve_amqp, serve_http,
};
use muster_reconciler::io::signer::{FileSigner, Signer};
use muster_reconciler::io::tls::ServerTls;
use muster_schema::envelope::join_frame;
use muster_schema::facts::{Facts, OsFacts};
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Announce, Body, HeadReply, Message, Receipt};
use muster_schema::report::Report;
use muster_schema::state::Health;
use muster_schema::{HostId, PublicKey};
use muster_tests::broker::Broker;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

/// What a request for a head is answered with, from its nonce.
type Heads = Arc<Mutex<Option<Box<dyn Fn(&str) -> HeadReply + Send>>>>;

/// The orchestrator's end of the bus.
pub(crate) struct Orchestrator {
    pub(crate) inbound: Arc<Inbound>,
    pub(crate) fresh: PublicKey,
    pub(crate) address: SocketAddr,
    /// What the cycle took, in order.
    pub(crate) taken: Arc<Mutex<Vec<Message>>>,
    heads: Heads,
    dir: TempDir,
    end: watch::Sender<bool>,
}

impl Orchestrator {
    pub(crate) async fn start() -> Self {
        let (dir, limits) = (tempfile::tempdir().unwrap(), HttpLimits::default());
        Orchestrator::start_in(dir, ReplayMarks::default(), "127.0.0.1:0", limits, None).await
    }

    /// Starts it with TLS, where agents show a certificate if that says so.
    pub(crate) async fn start_tls(tls: ServerTls, limits: HttpLimits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Orchestrator::start_in(dir, ReplayMarks::default(), "127.0.0.1:0", limits, Some(Arc::new(tls))).await
    }

    async fn start_in(
        dir: TempDir,
        marks: ReplayMarks,
        listen: &str,
        limits: HttpLimits,
        tls: Option<Arc<ServerTls>>,
    ) -> Self {
        let stem = dir.path().join("fresh");
        let fresh = FileSigner::load(&stem.with_extension("key"), None)
            .or_else(|_| FileSigner::generate(&stem, "fresh", None))
            .unwrap();
        let fresh_key = fresh.public_key();
        let (cycle, messages) = mpsc::channel(64);
        let settings = InboundSettings {
            fleet: "shop".parse().unwrap(),
            fresh: Arc::new(fresh),
            enrolment_dir: &dir.path().join("enrolment"),
            marks,
            audit: Arc::new(muster_reconciler::io::audit::AuditLog::open(dir.path()).unwrap()),
            cycle,
        };
        let inbound = Inbound::open(settings).unwrap();
        let taken: Arc<Mutex<Vec<Message>>> = Arc::default();
        let heads = Heads::default();
        tokio::spawn(take_all(messages, taken.clone(), heads.clone()));

        let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, mut ended) = watch::channel(false);
        let mut router = agent_router(inbound.clone(), dir.path().join("tree"));
        if tls.as_ref().is_some_and(|tls| tls.is_mutual()) {
            router = require_client_certificate(router);
        }
        tokio::spawn(serve_http(listener, router, limits, tls, async move {
            let _ = ended.wait_for(|end| *end).await;
        }));
        Orchestrator { inbound, fresh: fresh_key, address, taken, heads, dir, end }
    }

    /// Starts it with a broker that it has reached.
    pub(crate) async fn start_on(broker: &Broker) -> Self {
        Orchestrator::start_over(&broker.url()).await
    }

    /// Starts it with the broker at this URL, which it has reached.
    pub(crate) async fn start_over(url: &str) -> Self {
        let orchestrator = Orchestrator::start().await;
        let mut state = orchestrator.serve_broker(url);
        state.wait_for(|state| *state == BrokerState::Connected).await.unwrap();
        orchestrator
    }

    /// Serves a broker too; gives how that stands.
    pub(crate) fn serve_broker(&self, url: &str) -> watch::Receiver<BrokerState> {
        self.serve_broker_after(url, |_| {})
    }

    /// Does something when the broker is to be served, but there is no connection to it yet.
    pub(crate) fn serve_broker_after(&self, url: &str, before: impl FnOnce(&Inbound)) -> watch::Receiver<BrokerState> {
        let (state, told) = watch::channel(BrokerState::Lost("not yet".into()));
        let mut ended = self.end.subscribe();
        let serve = serve_amqp(url.parse().unwrap(), self.inbound.clone(), state, async move {
            let _ = ended.wait_for(|end| *end).await;
        });
        before(&self.inbound);
        tokio::spawn(serve);
        told
    }

    /// Ends it and starts it again on the same address with what it kept on disk.
    pub(crate) async fn restart(self) -> Self {
        self.end.send_replace(true);
        let Orchestrator { inbound, address, taken, dir, end, .. } = self;
        drop((inbound, end));
        let mut marks = ReplayMarks::default();
        for message in taken.lock().unwrap().iter() {
            let stream = muster_reconciler::inbound::Stream::of(&message.body);
            if let (Some(stream), Some(host)) = (stream, message.sender()) {
                marks.raise(host.key, stream, message.seq);
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        Orchestrator::start_in(dir, marks, &address.to_string(), HttpLimits::default(), None).await
    }

    pub(crate) fn approve(&self, agents: &[&Agent]) {
        self.approve_instead(agents, &[]);
    }

    /// Takes the keys of these agents back.
    pub(crate) fn revoke(&self, revoked: &[&Agent]) {
        self.approve_instead(&[], revoked);
    }

    pub(crate) fn approve_instead(&self, agents: &[&Agent], revoked: &[&Agent]) {
        let host = |agent: &&Agent| ApprovedHost {
            id: agent.name.clone(),
            key: agent.keys.public_key(),
            recipient: Some(agent.keys.recipient()),
            leaving: false,
        };
        let approved: ApprovedHosts = agents.iter().map(host).collect();
        let revoked = revoked.iter().map(|agent| agent.keys.public_key());
        self.inbound.set_approved(approved.with_revoked(revoked));
    }

    /// From now on requests for heads are answered so, from their nonce.
    pub(crate) fn answer_heads(&self, answer: impl Fn(&str) -> HeadReply + Send + 'static) {
        *self.heads.lock().unwrap() = Some(Box::new(answer));
    }

    /// The key that signs heads and replies.
    pub(crate) fn fresh_signer(&self) -> FileSigner {
        FileSigner::load(&self.dir.path().join("fresh.key"), None).unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it writes down what it decides.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.dir.path().join("audit.log")
    }

    /// Writes a file of the published tree.
    pub(crate) fn publish(&self, path: &str, bytes: &[u8]) {
        let path: PathBuf = self.dir.path().join("tree").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// The messages of the reports that were taken, in order.
    pub(crate) fn reports(&self) -> Vec<String> {
        let text = |message: &Message| match &message.body {
            Body::Report(report) => Some(report.message.clone()),
            _ => None,
        };
        self.taken.lock().unwrap().iter().filter_map(text).collect()
    }
}

async fn take_all(mut messages: mpsc::Receiver<InboundMessage>, taken: Arc<Mutex<Vec<Message>>>, heads: Heads) {
    while let Some(InboundMessage { message, respond, .. }) = messages.recv().await {
        let body = match &message.body {
            Body::HeadRequest(request) => Body::HeadReply(match &*heads.lock().unwrap() {
                Some(answer) => answer(&request.nonce),
                None => HeadReply { head: Some(request.nonce.clone()), signature: None, root: None },
            }),
            _ => Body::Receipt(Receipt { accepted: true, code: "Accepted".into(), message: String::new(), seq: None }),
        };
        taken.lock().unwrap().push(message);
        let _ = respond.send(body);
    }
}

/// An agent's end.
pub(crate) struct Agent {
    pub(crate) name: HostId,
    pub(crate) keys: Arc<HostKeys>,
    pub(crate) messenger: Messenger,
    _dir: TempDir,
}

impl Agent {
    pub(crate) fn http(name: &str, orchestrator: &Orchestrator) -> Self {
        Agent::over(name, orchestrator.fresh, |keys| transport(orchestrator, None, keys))
    }

    pub(crate) fn amqp(name: &str, orchestrator: &Orchestrator, broker: &str) -> Self {
        Agent::over(name, orchestrator.fresh, |keys| transport(orchestrator, Some(broker), keys))
    }

    pub(crate) fn over(name: &str, fresh: PublicKey, transport: impl FnOnce(&HostKeys) -> Arc<dyn Transport>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(HostKeys::load_or_make(dir.path()).unwrap());
        let name: HostId = name.parse().unwrap();
        let transport = transport(&keys);
        let messenger = Messenger::new(transport, keys.clone(), "shop".parse().unwrap(), name.clone(), vec![fresh]);
        Agent { name, keys, messenger, _dir: dir }
    }

    /// Another start: of the same machine, or of a copy of it.
    pub(crate) fn start_again(&self, orchestrator: &Orchestrator, transport: Arc<dyn Transport>) -> Messenger {
        let (fleet, name) = ("shop".parse().unwrap(), self.name.clone());
        Messenger::new(transport, self.keys.clone(), fleet, name, vec![orchestrator.fresh])
    }

    pub(crate) fn announce(&self) -> Announce {
        let os = OsFacts { family: "debian".into(), id: "debian".into(), version: None, codename: None };
        let facts = Facts {
            os,
            arch: "x86_64".into(),
            cpus: 1,
            memory_mib: 512,
            hostname: self.name.to_string(),
            address: None,
            addresses: Vec::new(),
            virtualisation: None,
        };
        Announce {
            name: self.name.clone(),
            recipient: self.keys.recipient(),
            agent: "0".into(),
            schema: 1,
            facts,
            replaces: None,
            token: None,
        }
    }

    /// One step of enrolment; tried again while there is no contact.
    pub(crate) async fn step(&self) -> Step {
        for _ in 0..100 {
            match enrol_once(&self.messenger, &self.keys, self.announce()).await {
                Ok(step) => return step,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        panic!("no contact");
    }

    /// What says to be from this agent, signed by `signer`, and numbered `seq` where one is given.
    pub(crate) fn message_by(&self, signer: &HostKeys, body: Body, seq: Option<u64>) -> SignedMessage {
        let host = HostIdentity { id: self.name.clone(), key: self.keys.public_key() };
        let sender = Sender { fleet: "shop".parse().unwrap(), host };
        let mut outgoing = self.messenger.prepare(body).unwrap();
        outgoing.seq = seq.unwrap_or(outgoing.seq);
        let payload = outgoing.to_payload(&sender, muster_agent::io::clock::now()).unwrap();
        SignedMessage {
            id: outgoing.id.clone(),
            body_type: outgoing.body.body_type(),
            host: self.name.clone(),
            frame: join_frame(&signer.sign(&payload).unwrap(), &payload),
            life: outgoing.life(),
        }
    }

    pub(crate) async fn enrol(&self) {
        assert_eq!(self.step().await, Step::Enrolled(self.name.clone()));
    }
}

/// The way to the orchestrator for the host with these keys, by a broker where one is given.
pub(crate) fn transport(orchestrator: &Orchestrator, broker: Option<&str>, keys: &HostKeys) -> Arc<dyn Transport> {
    let http = HttpTransport::new(&orchestrator.url()).unwrap();
    match broker {
        Some(broker) => Arc::new(AmqpTransport::new(broker, http, keys).unwrap()),
        None => Arc::new(http),
    }
}

pub(crate) fn report(text: &str) -> Body {
    Body::Report(Box::new(Report {
        applied: None,
        health: Health::Healthy,
        reason: String::new(),
        message: text.to_owned(),
        counts: Default::default(),
        deviations: Vec::new(),
        exceptions: Vec::new(),
        transitions: Vec::new(),
        rejections: Vec::new(),
        retired: false,
        break_glass: None,
    }))
}
