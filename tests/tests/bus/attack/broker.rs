//! Who writes to the broker what he likes.

use std::time::{Duration, Instant};

use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
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
