//! Who holds a user of the broker, as `muster broker setup` makes it.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeBindOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use muster_agent::enrol::Step;
use muster_agent::io::messenger::Woken;
use muster_reconciler::broker::{HostLogin, render_definitions};
use muster_schema::bus::{BrokerRights, BrokerUser, hash_password};
use muster_schema::{FleetName, PublicKey};
use muster_tests::broker::Broker;
use muster_tests::need;
use muster_tests::port::free_ports;

use crate::broker_lost::{BACK, deliver_all, numbered};
use crate::parties::{Agent, Orchestrator};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const VHOST: &str = "shop";
const PASSWORD: &str = "of the orchestrator and of enrolment";

fn fleet() -> FleetName {
    "shop".parse().unwrap()
}

/// A broker that was set up, an orchestrator on it, and agents that begin with the user of enrolment.
struct LockedFleet {
    broker: Broker,
    orchestrator: Orchestrator,
}

impl LockedFleet {
    async fn begin(plugins: &[&str], config: &str) -> Self {
        let broker = Broker::start_with(LOOPBACK, plugins, config).unwrap();
        let fleet = LockedFleet { broker, orchestrator: Orchestrator::start().await };
        fleet.set_up(&[]);
        let orchestrator = Orchestrator::start_over(&fleet.url(BrokerUser::Orchestrator, PASSWORD)).await;
        LockedFleet { orchestrator, ..fleet }
    }

    /// What `muster broker setup` has the broker take for these hosts.
    fn set_up(&self, agents: &[&Agent]) {
        let login = |agent: &&Agent| HostLogin {
            host: agent.name.clone(),
            key: agent.keys.public_key().id(),
            password_hash: agent.keys.broker_hash(),
        };
        let hosts: Vec<HostLogin> = agents.iter().map(login).collect();
        let hash = hash_password(PASSWORD);
        let definitions = render_definitions(&fleet(), VHOST, &hash, &hash, &hosts);
        self.broker.import(&serde_json::to_vec(&definitions).unwrap()).unwrap();
    }

    fn url(&self, user: BrokerUser, password: &str) -> String {
        self.broker.url_of(&user.name(&fleet()), &password.replace(' ', "%20"), VHOST)
    }

    fn agent(&self, name: &str) -> Agent {
        Agent::amqp(name, &self.orchestrator, &self.url(BrokerUser::Enrolment, PASSWORD))
    }

    async fn connect(&self, user: BrokerUser, password: &str) -> Connection {
        Connection::connect(&self.url(user, password), ConnectionProperties::default()).await.unwrap()
    }
}

/// What the broker says to each of these, over a channel of its own.
async fn denied(connection: &Connection, what: &str, act: impl AsyncFnOnce(Channel) -> Result<(), lapin::Error>) {
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let error = act(channel).await.expect_err(what);
    assert!(error.to_string().contains("ACCESS_REFUSED"), "{what}: {error}");
}

/// Consume, get, purge, delete and bind each of these queues.
async fn denied_queues(connection: &Connection, queues: &[&str]) {
    let none = FieldTable::default;
    for queue in queues {
        let queue = *queue;
        denied(connection, &format!("consume {queue}"), async |channel| {
            channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), none()).await.map(drop)
        })
        .await;
        denied(connection, &format!("get {queue}"), async |channel| {
            channel.basic_get(queue.into(), BasicGetOptions::default()).await.map(drop)
        })
        .await;
        denied(connection, &format!("purge {queue}"), async |channel| {
            channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.map(drop)
        })
        .await;
        denied(connection, &format!("delete {queue}"), async |channel| {
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.map(drop)
        })
        .await;
        denied(connection, &format!("bind {queue}"), async |channel| {
            let (exchange, options) = ("muster.inbound".into(), QueueBindOptions::default());
            channel.queue_bind(queue.into(), exchange, "#".into(), options, none()).await
        })
        .await;
    }
}

async fn denied_publishing(connection: &Connection, ways: &[(&str, &str)]) {
    for (exchange, key) in ways {
        denied(connection, &format!("publish to {exchange:?} by {key}"), async |channel| {
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            channel.basic_publish((*exchange).into(), (*key).into(), options, b"x", properties).await?.await.map(drop)
        })
        .await;
    }
}

async fn denied_declaring(connection: &Connection, queues: &[&str]) {
    for queue in queues {
        denied(connection, &format!("declare {queue}"), async |channel| {
            let (options, none) = (QueueDeclareOptions::default(), FieldTable::default());
            channel.queue_declare((*queue).into(), options, none).await.map(drop)
        })
        .await;
    }
    for exchange in ["muster.inbound", "own.exchange"] {
        denied(connection, &format!("declare {exchange}"), async |channel| {
            let (options, none) = (ExchangeDeclareOptions::default(), FieldTable::default());
            channel.exchange_declare(exchange.into(), ExchangeKind::Topic, options, none).await
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a49_a_hosts_own_user_reaches_nothing_of_others_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let [management] = free_ports(LOOPBACK).unwrap();
    let config = format!("management.tcp.port = {management}\nmanagement.tcp.ip = 127.0.0.1\n");
    let locked = LockedFleet::begin(&["rabbitmq_management"], &config).await;
    let (web, db) = (locked.agent("web-1"), locked.agent("db-1"));
    locked.orchestrator.approve(&[&web, &db]);
    db.enrol().await;
    locked.set_up(&[&web, &db]);
    assert_eq!(db.messenger.listen().await.unwrap(), Woken::Look, "contact is new");

    let password = web.keys.broker_password();
    let connection = locked.connect(BrokerUser::Host(web.name.clone()), &password).await;
    let none = FieldTable::default;
    let others =
        ["muster.report", "muster.presence", "muster.enrol", "muster.request", "muster.answer", "muster.hints.db-1"];
    denied_queues(&connection, &others).await;
    let ways = [
        ("", "muster.report"),
        ("", "muster.hints.db-1"),
        ("muster.inbound", "report.db-1"),
        ("muster.inbound", "report"),
        ("muster.inbound", "enrol.db-1"),
        ("muster.notify", "db-1"),
        ("muster.notify", "web-1"),
        ("muster.notify", "live/db-1"),
        ("amq.topic", "x"),
    ];
    denied_publishing(&connection, &ways).await;
    let names = ["muster.hints.db-2", "muster.live.db-1", "muster.reply.enrol.0123456789ABCDEF.00", "own", ""];
    denied_declaring(&connection, &names).await;
    for key in ["db-1", "live/db-1", "#", "*"] {
        denied(&connection, key, async |channel| {
            let own = "muster.hints.web-1";
            let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
            channel.queue_declare(own.into(), options, none()).await?;
            let options = QueueBindOptions::default();
            channel.queue_bind(own.into(), "muster.notify".into(), key.into(), options, none()).await
        })
        .await;
        denied(&connection, key, async |channel| {
            let (to, from) = ("muster.inbound".into(), "muster.notify".into());
            channel.exchange_bind(to, from, key.into(), ExchangeBindOptions::default(), none()).await
        })
        .await;
    }
    connection.close(200, "done".into()).await.unwrap();
    let user = BrokerUser::Host(web.name.clone()).name(&fleet());
    assert_eq!(management_status(management, &user, &password), 401, "no management for hosts");
    assert_eq!(management_status(management, "muster", "muster"), 200, "it is there");

    // With the same user the host does all that it is to.
    web.enrol().await;
    deliver_all(&web, numbered(0..3)).await;
    assert_eq!(locked.orchestrator.reports(), ["0", "1", "2"]);
    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look, "contact is new");
    let hint = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            locked.orchestrator.inbound.hints().notify_hosts([&web.name]);
        }
    };
    tokio::select! {
        woken = web.messenger.listen() => assert_eq!(woken.unwrap(), Woken::Look),
        () = hint => {}
        () = tokio::time::sleep(BACK) => panic!("no hint came"),
    }
}

/// The status with which the management's API answers who it is that asks.
fn management_status(port: u16, user: &str, password: &str) -> u16 {
    let mut stream = TcpStream::connect((LOOPBACK, port)).unwrap();
    let login = STANDARD.encode(format!("{user}:{password}"));
    write!(stream, "GET /api/whoami HTTP/1.0\r\nAuthorization: Basic {login}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a49_the_user_of_enrolment_announces_and_does_nothing_else_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let locked = LockedFleet::begin(&[], "").await;
    let (web, new) = (locked.agent("web-1"), locked.agent("new-1"));
    locked.orchestrator.approve(&[&web]);
    web.enrol().await;
    locked.set_up(&[&web]);
    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look, "contact is new");

    let connection = locked.connect(BrokerUser::Enrolment, PASSWORD).await;
    let others = ["muster.report", "muster.enrol", "muster.request", "muster.answer", "muster.hints.web-1"];
    denied_queues(&connection, &others).await;
    let ways = [
        ("", "muster.report"),
        ("muster.inbound", "report.web-1"),
        ("muster.inbound", "request.web-1"),
        ("muster.inbound", "answer.web-1"),
        ("muster.inbound", "presence.web-1"),
        ("muster.inbound", "enrol"),
        ("muster.notify", "web-1"),
    ];
    denied_publishing(&connection, &ways).await;
    let reply = format!("muster.reply.{}.00", web.keys.public_key().id());
    denied_declaring(&connection, &["muster.hints.new-1", "muster.live.new-1", &reply, ""]).await;
    let own = "muster.reply.enrol.0123456789ABCDEF.00";
    for exchange in ["muster.notify", "muster.inbound"] {
        denied(&connection, exchange, async |channel| {
            let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
            channel.queue_declare(own.into(), options, FieldTable::default()).await?;
            let (options, none) = (QueueBindOptions::default(), FieldTable::default());
            channel.queue_bind(own.into(), exchange.into(), "web-1".into(), options, none).await
        })
        .await;
    }
    // What is answered to another connection of the same user is that connection's own.
    assert_eq!(new.step().await, Step::Pending);
    let listed = locked.broker.control(&["list_queues", "-p", VHOST, "name"]).unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let is_theirs = |name: &&str| name.starts_with("muster.reply.enrol.") && *name != own;
    let theirs = listed.lines().find(is_theirs).unwrap().to_owned();
    let channel = connection.create_channel().await.unwrap();
    let got = channel.basic_get(theirs.as_str().into(), BasicGetOptions::default()).await;
    assert!(got.unwrap_err().to_string().contains("RESOURCE_LOCKED"));
}

#[test]
fn a49_the_rights_of_a_host_stand_in_the_book_amqp() {
    let page = include_str!("../../../../docs/reference/protocol.md");
    // A key in minisign's form: two bytes of its kind, its id in little endian, and the key.
    let key = [b"Ed", &0x0123_4567_89AB_CDEF_u64.to_le_bytes()[..], &[7; 32]].concat();
    let key: PublicKey = STANDARD.encode(key).parse().unwrap();
    let BrokerRights { configure, write, read, inbound, notify } =
        BrokerRights::of(&"web-1".parse().unwrap(), key.id());
    for right in [configure, write, read, inbound.write, notify.read] {
        assert!(page.contains(&format!("'{right}'")), "{right}");
    }
}
