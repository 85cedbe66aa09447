//! Who stands between the orchestrator and an agent sees every live request and may hand out what he likes. No run comes
//! of it.

#[path = "attack/broker.rs"]
mod broker;
#[path = "attack/proxy.rs"]
mod proxy;

use muster_reconciler::io::signer::{FileSigner, Signer};
use muster_schema::Timestamp;
use muster_schema::envelope::{join_frame, split_frame};
use muster_schema::message::{Body, Message, Party};
use muster_tests::fleet::SOON;
use muster_tests::wait::wait_for;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::broker::BrokerTap;
use self::proxy::Proxy;
use super::*;

/// Reads along with the agent of one host, and hands out requests in the orchestrator's place.
enum Attacker {
    Broker(Box<BrokerTap>),
    Proxy(Proxy),
}

impl Attacker {
    async fn seen(&mut self) -> Vec<u8> {
        match self {
            Attacker::Broker(tap) => tap.seen().await,
            Attacker::Proxy(proxy) => proxy.seen(),
        }
    }

    /// A request to converge that was made since.
    async fn capture(&mut self, since: Timestamp) -> Vec<u8> {
        loop {
            let frame = self.seen().await;
            let message = load(&frame);
            let Body::LiveRequest(request) = message.body else { continue };
            if request.target.ends_with("/converge") && message.issued >= since {
                return frame;
            }
        }
    }

    /// Hands it out, and waits until the broker or the agent has it.
    async fn publish(&self, frame: &[u8]) {
        match self {
            Attacker::Broker(tap) => tap.publish(frame).await,
            Attacker::Proxy(proxy) => proxy.publish(frame),
        }
    }
}

fn load(frame: &[u8]) -> Message {
    Message::load(split_frame(frame).unwrap().1).unwrap()
}

/// A request signed by a key of the fleet, of which `change` makes another one.
fn forge(fleet: &Fleet, role: &str, like: &[u8], change: impl FnOnce(&mut Message)) -> Vec<u8> {
    let signer = FileSigner::load(&fleet.keys().join(format!("{role}.key")), None).unwrap();
    let mut message = load(like);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    message.id = format!("{:032x}", since.as_nanos());
    message.issued = now();
    message.expires = now().plus(Duration::from_secs(60));
    change(&mut message);
    let payload = message.to_bytes().unwrap();
    join_frame(&signer.sign(&payload, "forged").unwrap(), &payload)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

/// One more run that the orchestrator asks for. Gives how many runs over everything the agent has then done since its
/// start, by its own file, and the request as the attacker saw it.
async fn run_once(fleet: &Fleet, agent: &SandboxAgent, attacker: &mut Attacker) -> (u64, Vec<u8>) {
    // The agent takes requests in order: what was published before has been taken when it answers this.
    let output = query(fleet, &["web-1", "files/etc/motd", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let begun = now();
    let (status, view) = post(fleet, "/api/v1/hosts/web-1/v1/converge", None);
    assert_eq!((status, &view["finished"]), (200, &true.into()), "{view}");
    let told = wait_for("the agent's file to tell of the run", SOON, || {
        let status: Value = serde_json::from_slice(&fs::read(agent.state().join("status.json")).ok()?).ok()?;
        (status["written"].as_u64()? >= begun.0).then(|| status["sweeps"].as_u64()).flatten()
    });
    (told.unwrap(), attacker.capture(begun).await)
}

fn has_refused(fleet: &Fleet, code: &str) {
    let is_there = |host: &Value| {
        let all = host["rejections"].as_array();
        all.is_some_and(|all| all.iter().any(|rejection| rejection["code"] == code))
    };
    fleet.wait_host("web-1", &format!("to report {code}"), is_there).unwrap();
}

/// A fleet of two hosts and somebody in between each and the orchestrator.
struct Scene {
    fleet: Fleet,
    agents: Vec<SandboxAgent>,
    attacker: Attacker,
    beside: Attacker,
    _broker: Option<Broker>,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn amqp() -> Option<Scene> {
        if !need::has(need::BROKER) {
            return None;
        }
        let broker = Broker::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (fleet, agents) = begin(folder.path(), Some(&broker.url()), &[("web-1", "web"), ("web-2", "web")]);
        let attacker = Attacker::Broker(Box::new(BrokerTap::begin(&broker.url(), "web-1").await));
        let beside = Attacker::Broker(Box::new(BrokerTap::begin(&broker.url(), "web-2").await));
        Some(Scene { fleet, agents, attacker, beside, _broker: Some(broker), _folder: folder })
    }

    async fn http() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let (fleet, mut agents) = begin(folder.path(), None, &[("web-1", "web"), ("web-2", "web")]);
        let mut between = |number: usize| {
            let proxy = Proxy::begin(fleet.url());
            let settings = folder.path().join(format!("web-{}/agent.yaml", number + 1));
            let text = fs::read_to_string(&settings).unwrap();
            assert!(text.contains(&fleet.url()), "{text}");
            fs::write(&settings, text.replace(&fleet.url(), &proxy.url())).unwrap();
            agents[number].start().unwrap();
            Attacker::Proxy(proxy)
        };
        let (attacker, beside) = (between(0), between(1));
        let scene = Scene { fleet, agents, attacker, beside, _broker: None, _folder: folder };
        for host in ["web-1", "web-2"] {
            scene.wait_listening(host);
        }
        scene
    }

    fn wait_listening(&self, host: &str) {
        let listens = |_: &Value| query(&self.fleet, &[host, "facts"]).status.success();
        self.fleet.wait_host(host, "to listen", listens).unwrap();
    }

    async fn run_once(&mut self) -> (u64, Vec<u8>) {
        run_once(&self.fleet, &self.agents[0], &mut self.attacker).await
    }
}

/// What is played again is refused, after every kind of end too.
async fn play_again(mut scene: Scene) {
    let (runs, genuine) = scene.run_once().await;
    scene.attacker.publish(&genuine).await;
    let (after, _) = scene.run_once().await;
    assert_eq!(after, runs + 1, "it ran again");
    has_refused(&scene.fleet, "RequestReplayed");
    for end in [SandboxAgent::stop, SandboxAgent::kill] {
        let (_, last) = scene.run_once().await;
        end(&mut scene.agents[0]).unwrap();
        scene.agents[0].start().unwrap();
        scene.wait_listening("web-1");
        let (before, _) = scene.run_once().await;
        scene.attacker.publish(&last).await;
        let (after, _) = scene.run_once().await;
        assert_eq!(after, before + 1, "it ran again after a restart");
        assert!(load(&last).expires > now(), "it was refused for its time: the machine is too slow for this test");
    }
}

/// What is late, for others, or not the orchestrator's, is refused; what lacks nothing is taken.
async fn misuse(mut scene: Scene) {
    let (before, genuine) = scene.run_once().await;
    // By the right key, to this host, for now, and new: a refused one lacks no more than what it says.
    scene.attacker.publish(&forge(&scene.fleet, "fresh", &genuine, |_| {})).await;
    let (mut runs, genuine) = scene.run_once().await;
    assert_eq!(runs, before + 2, "a request that is in order is not acted upon");

    let begun = now();
    assert_eq!(post(&scene.fleet, "/api/v1/hosts/web-2/v1/converge", None).0, 200);
    let to_other = scene.beside.capture(begun).await;
    let to_another_key = |message: &mut Message| {
        let (Party::Host(to), Party::Host(other)) = (&mut message.to, load(&to_other).to) else {
            panic!("{message:?}")
        };
        to.key = other.key;
    };
    // Another message under the same signature.
    let (signature, payload) = split_frame(&genuine).unwrap();
    let mut twisted: Value = serde_json::from_slice(payload).unwrap();
    twisted["id"] = "0".repeat(32).into();
    let twisted = join_frame(&signature, &serde_json::to_vec(&twisted).unwrap());
    let forge = |role: &str, change: &dyn Fn(&mut Message)| forge(&scene.fleet, role, &genuine, change);
    let refused = [
        ("RequestExpired", forge("fresh", &|message| message.expires = now())),
        ("RequestExpired", forge("fresh", &|message| message.issued = Timestamp(now().0 - 61_000))),
        ("RequestOtherHost", to_other.clone()),
        ("RequestOtherHost", forge("fresh", &to_another_key)),
        ("RequestSignature", forge("render", &|_| {})),
        ("RequestSignature", forge("root", &|_| {})),
        ("RequestSignature", twisted),
    ];
    for (code, frame) in refused {
        scene.attacker.publish(&frame).await;
        let (after, _) = scene.run_once().await;
        assert_eq!(after, runs + 1, "{code}: {:?}", load(&frame));
        runs = after;
        has_refused(&scene.fleet, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a44_a_request_that_is_played_again_http() {
    play_again(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a44_a_request_that_is_played_again_amqp() {
    if let Some(scene) = Scene::amqp().await {
        play_again(scene).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_a_request_that_is_late_misdirected_or_forged_http() {
    misuse(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a45_a_request_that_is_late_misdirected_or_forged_amqp() {
    if let Some(scene) = Scene::amqp().await {
        misuse(scene).await;
    }
}
