//! Who holds the broker sees every live request and may publish what he likes. No run comes of it.

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use muster_reconciler::io::signer::{FileSigner, Signer};
use muster_schema::Timestamp;
use muster_schema::bus::{NOTIFY_EXCHANGE, live_routing_key};
use muster_schema::envelope::{join_frame, split_frame};
use muster_schema::message::{Body, Message, Party};
use muster_tests::fleet::SOON;
use muster_tests::wait::wait_for;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;

/// Reads along with the agent of one host, and publishes in the orchestrator's place.
struct Attacker {
    channel: Channel,
    seen: Consumer,
    key: String,
    _connection: Connection,
}

impl Attacker {
    async fn begin(broker: &str, host: &str) -> Attacker {
        let connection = Connection::connect(broker, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let (key, none) = (live_routing_key(&host.parse().unwrap()), FieldTable::default());
        let own = QueueDeclareOptions { exclusive: true, ..Default::default() };
        let name = channel.queue_declare("".into(), own, none.clone()).await.unwrap().name().clone();
        let options = QueueBindOptions::default();
        let (exchange, routing_key) = (NOTIFY_EXCHANGE.into(), key.as_str().into());
        channel.queue_bind(name.clone(), exchange, routing_key, options, none.clone()).await.unwrap();
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let seen = channel.basic_consume(name, "".into(), options, none).await.unwrap();
        Attacker { channel, seen, key, _connection: connection }
    }

    /// A request to converge that was made since.
    async fn capture(&mut self, since: Timestamp) -> Vec<u8> {
        loop {
            let delivery = tokio::time::timeout(SOON, self.seen.next()).await.unwrap().unwrap().unwrap();
            let message = load(&delivery.data);
            let Body::LiveRequest(request) = message.body else { continue };
            if request.target.ends_with("/converge") && message.issued >= since {
                return delivery.data;
            }
        }
    }

    /// Publishes, and waits until the broker has it.
    async fn publish(&self, frame: &[u8]) {
        let (exchange, key, options) =
            (NOTIFY_EXCHANGE.into(), self.key.as_str().into(), BasicPublishOptions::default());
        let confirm = self.channel.basic_publish(exchange, key, options, frame, BasicProperties::default());
        confirm.await.unwrap().await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn broker_a_request_that_is_repeated_late_misdirected_or_forged_has_no_effect() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (fleet, mut agents) = begin(folder.path(), Some(&broker.url()), &[("web-1", "web"), ("web-2", "web")]);
    let mut attacker = Attacker::begin(&broker.url(), "web-1").await;
    let mut beside = Attacker::begin(&broker.url(), "web-2").await;

    let (before, genuine) = run_once(&fleet, &agents[0], &mut attacker).await;
    // By the right key, to this host, for now, and new: a refused one lacks no more than what it says.
    attacker.publish(&forge(&fleet, "fresh", &genuine, |_| {})).await;
    let (mut runs, genuine) = run_once(&fleet, &agents[0], &mut attacker).await;
    assert_eq!(runs, before + 2, "a request that is in order is not acted upon");

    let begun = now();
    assert_eq!(post(&fleet, "/api/v1/hosts/web-2/v1/converge", None).0, 200);
    let to_other = beside.capture(begun).await;
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
    let refused = [
        ("RequestReplayed", genuine.clone()),
        ("RequestExpired", forge(&fleet, "fresh", &genuine, |message| message.expires = now())),
        ("RequestExpired", forge(&fleet, "fresh", &genuine, |message| message.issued = Timestamp(now().0 - 61_000))),
        ("RequestOtherHost", to_other.clone()),
        ("RequestOtherHost", forge(&fleet, "fresh", &genuine, to_another_key)),
        ("RequestSignature", forge(&fleet, "render", &genuine, |_| {})),
        ("RequestSignature", forge(&fleet, "root", &genuine, |_| {})),
        ("RequestSignature", twisted),
    ];
    for (code, frame) in refused {
        attacker.publish(&frame).await;
        let (after, _) = run_once(&fleet, &agents[0], &mut attacker).await;
        assert_eq!(after, runs + 1, "{code}: {:?}", load(&frame));
        runs = after;
        has_refused(&fleet, code);
    }

    // It remembers beyond its own end, however that comes.
    for end in [SandboxAgent::stop, SandboxAgent::kill] {
        let (_, last) = run_once(&fleet, &agents[0], &mut attacker).await;
        end(&mut agents[0]).unwrap();
        agents[0].start().unwrap();
        fleet.wait_host("web-1", "to listen again", |_| query(&fleet, &["web-1", "facts"]).status.success()).unwrap();
        let (before, _) = run_once(&fleet, &agents[0], &mut attacker).await;
        attacker.publish(&last).await;
        let (after, _) = run_once(&fleet, &agents[0], &mut attacker).await;
        assert_eq!(after, before + 1, "it ran again after a restart");
        assert!(load(&last).expires > now(), "it was refused for its time: the machine is too slow for this test");
    }
}
