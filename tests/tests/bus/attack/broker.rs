//! Who holds the user of the broker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use muster_agent::io::amqp::AmqpTransport;
use muster_agent::io::http::HttpTransport;
use muster_agent::io::messenger::Woken;
use muster_schema::PublicKey;
use muster_schema::bus::BrokerRights;
use muster_schema::message::Body;
use muster_tests::broker::Broker;
use muster_tests::need;

use crate::broker_lost::{BACK, deliver_all, numbered};
use crate::parties::{Agent, Orchestrator, report};

#[tokio::test(flavor = "multi_thread")]
async fn a49_replies_cannot_be_had_in_other_queues_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start_on(&broker).await;

    let connection = Connection::connect(&broker.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let depth = async |queue: &str| {
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        channel.queue_declare(queue.into(), passive, FieldTable::default()).await.unwrap().message_count()
    };
    for queue in ["victim", "muster.reply.own"] {
        channel.queue_declare(queue.into(), QueueDeclareOptions::default(), FieldTable::default()).await.unwrap();
    }
    // A real announcement, so that there is a reply to write.
    let web = Agent::http("web-1", &orchestrator);
    let announced = web.message_by(&web.keys, Body::Announce(Box::new(web.announce())), None);
    for queue in ["victim", "muster.reply.own"] {
        let properties =
            BasicProperties::default().with_reply_to(queue.into()).with_correlation_id(announced.id.as_str().into());
        let options = BasicPublishOptions::default();
        let sent =
            channel.basic_publish("muster.inbound".into(), "enrol.web-1".into(), options, &announced.frame, properties);
        sent.await.unwrap().await.unwrap();
    }
    let start = Instant::now();
    while depth("muster.reply.own").await == 0 {
        assert!(start.elapsed() < BACK, "no reply came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(depth("victim").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a47_garbage_and_forgeries_reach_nobody_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start_on(&broker).await;
    let web = Agent::amqp("web-1", &orchestrator, &broker.url());
    let db = Agent::amqp("db-1", &orchestrator, &broker.url());
    orchestrator.approve(&[&web, &db]);
    web.enrol().await;

    // db signs a report in web's name.
    let forged = web.message_by(&db.keys, report("forged"), None).frame;
    let connection = Connection::connect(&broker.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let large = vec![b'x'; 4 << 20];
    let mut sent = 0;
    for key in ["report.web-1", "presence.web-1", "enrol.web-1", "request.web-1"] {
        for body in [&b""[..], b"\0\0\0\0", &forged, &large] {
            for _ in 0..20 {
                let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
                let publish = channel.basic_publish("muster.inbound".into(), key.into(), options, body, properties);
                publish.await.unwrap().await.unwrap();
                sent += 1;
            }
        }
    }
    let start = Instant::now();
    while orchestrator.inbound.refused() < sent {
        assert!(start.elapsed() < BACK, "{} of {sent} were refused", orchestrator.inbound.refused());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    deliver_all(&web, numbered(0..3)).await;
    assert_eq!(orchestrator.reports(), ["0", "1", "2"]);
    // What was answered is acknowledged to the broker right after.
    let columns = ["list_queues", "-p", "muster", "name", "messages"];
    let start = Instant::now();
    loop {
        let queues = String::from_utf8(broker.control(&columns).unwrap().stdout).unwrap();
        let inbound: Vec<&str> =
            queues.lines().filter(|line| line.starts_with("muster.") && !line.contains(".reply.")).collect();
        if inbound.len() >= 4 && inbound.iter().all(|line| line.ends_with("\t0")) {
            break;
        }
        assert!(start.elapsed() < BACK, "{queues}");
    }
}

/// What the broker says to each of these, over a channel of its own.
async fn denied(connection: &Connection, what: &str, act: impl AsyncFnOnce(Channel) -> Result<(), lapin::Error>) {
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let error = act(channel).await.expect_err(what);
    assert!(error.to_string().contains("ACCESS_REFUSED"), "{what}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a49_a_hosts_own_user_reaches_nothing_of_others_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start_on(&broker).await;
    let mut user = String::new();
    let web = Agent::over("web-1", orchestrator.fresh, |keys| {
        user = broker.add_user("web-1", &BrokerRights::of(&"web-1".parse().unwrap(), keys.public_key().id())).unwrap();
        let http = HttpTransport::new(&orchestrator.url()).unwrap();
        Arc::new(AmqpTransport::new(&user, http, keys.public_key()).unwrap())
    });
    let db = Agent::amqp("db-1", &orchestrator, &broker.url());
    orchestrator.approve(&[&web, &db]);
    db.enrol().await;
    assert_eq!(db.messenger.listen().await.unwrap(), Woken::Look, "contact is new");

    let connection = Connection::connect(&user, ConnectionProperties::default()).await.unwrap();
    let none = FieldTable::default;
    for queue in ["muster.report", "muster.answer", "muster.hints.db-1"] {
        denied(&connection, "consume", async |channel| {
            channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), none()).await.map(drop)
        })
        .await;
        denied(&connection, "get", async |channel| {
            channel.basic_get(queue.into(), BasicGetOptions::default()).await.map(drop)
        })
        .await;
        denied(&connection, "purge", async |channel| {
            channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.map(drop)
        })
        .await;
        denied(&connection, "delete", async |channel| {
            channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.map(drop)
        })
        .await;
    }
    for (exchange, key) in [
        ("", "muster.report"),
        ("muster.inbound", "report.db-1"),
        ("muster.inbound", "report"),
        ("muster.inbound", "enrol.db-1"),
        ("muster.notify", "db-1"),
        ("muster.notify", "live/db-1"),
        ("amq.topic", "x"),
    ] {
        denied(&connection, key, async |channel| {
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            channel.basic_publish(exchange.into(), key.into(), options, b"x", properties).await?.await.map(drop)
        })
        .await;
    }
    denied(&connection, "declare", async |channel| {
        channel.queue_declare("muster.hints.db-2".into(), QueueDeclareOptions::default(), none()).await.map(drop)
    })
    .await;
    for key in ["db-1", "live/db-1", "#", "*"] {
        denied(&connection, key, async |channel| {
            let own = "muster.hints.web-1";
            let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..Default::default() };
            channel.queue_declare(own.into(), options, none()).await?;
            let options = QueueBindOptions::default();
            channel.queue_bind(own.into(), "muster.notify".into(), key.into(), options, none()).await
        })
        .await;
    }
    connection.close(200, "done".into()).await.unwrap();

    // With the same user the host does all that it is to.
    web.enrol().await;
    deliver_all(&web, numbered(0..3)).await;
    assert_eq!(orchestrator.reports(), ["0", "1", "2"]);
    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look, "contact is new");
    let hint = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            orchestrator.inbound.hints().notify_hosts([&web.name]);
        }
    };
    tokio::select! {
        woken = web.messenger.listen() => assert_eq!(woken.unwrap(), Woken::Look),
        () = hint => {}
        () = tokio::time::sleep(BACK) => panic!("no hint came"),
    }
}

#[test]
fn a49_the_rights_of_a_host_stand_in_the_book_amqp() {
    let page = include_str!("../../../../docs/reference/protocol.md");
    // A key in minisign's form: two bytes of its kind, its id in little endian, and the key.
    let key = [b"Ed", &0x0123_4567_89AB_CDEF_u64.to_le_bytes()[..], &[7; 32]].concat();
    let key: PublicKey = STANDARD.encode(key).parse().unwrap();
    let rights = BrokerRights::of(&"web-1".parse().unwrap(), key.id());
    for right in [rights.configure, rights.write, rights.read, rights.publish, rights.bind] {
        assert!(page.contains(&format!("'{right}'")), "{right}");
    }
}
