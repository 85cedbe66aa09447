//! The broker goes and comes back; so does the orchestrator.

use std::time::{Duration, Instant};

use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use muster_agent::io::messenger::Woken;
use muster_reconciler::io::bus::BrokerState;
use muster_schema::message::Body;
use muster_tests::broker::Broker;
use muster_tests::need;

use crate::parties::{Agent, Orchestrator, report};

const BACK: Duration = Duration::from_secs(60);

/// Delivers reports in order, each until its receipt, as the outbox does.
async fn deliver_all(agent: &Agent, texts: impl Iterator<Item = String>) {
    for text in texts {
        let mut outgoing = agent.messenger.prepare(report(&text)).unwrap();
        let start = Instant::now();
        while let Err(error) = agent.messenger.deliver(&mut outgoing).await {
            assert!(start.elapsed() < BACK, "{text}: {error:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn numbered(range: std::ops::Range<u32>) -> impl Iterator<Item = String> + Clone {
    range.map(|n| n.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_restart_loses_no_report_and_repeats_none() {
    if !need::has(need::BROKER) {
        return;
    }
    let mut broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start().await;
    let mut state = orchestrator.serve_broker(&broker.url());
    state.wait_for(|state| *state == BrokerState::Connected).await.unwrap();
    let web = Agent::amqp("web-1", &orchestrator, &broker.url());
    orchestrator.approve(&[&web]);
    web.enrol().await;
    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look);
    deliver_all(&web, numbered(0..5)).await;

    let broker = tokio::task::spawn_blocking(move || {
        broker.stop().unwrap();
        broker
    })
    .await
    .unwrap();
    state.wait_for(|state| matches!(state, BrokerState::Lost(_))).await.unwrap();
    assert!(web.messenger.ask(report("lost")).await.is_err(), "nobody takes it, and the agent knows");
    assert!(web.messenger.listen().await.is_err(), "contact is lost, and the agent knows");
    let resumed = tokio::task::spawn_blocking(move || {
        let mut broker = broker;
        broker.resume().unwrap();
        broker
    });
    deliver_all(&web, numbered(5..10)).await;
    let expected: Vec<String> = numbered(0..10).collect();
    assert_eq!(orchestrator.reports(), expected);
    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look, "contact is back: look");
    drop(resumed.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_keeps_reports_while_the_orchestrator_is_away() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start().await;
    let mut state = orchestrator.serve_broker(&broker.url());
    state.wait_for(|state| *state == BrokerState::Connected).await.unwrap();
    let web = Agent::amqp("web-1", &orchestrator, &broker.url());
    orchestrator.approve(&[&web]);
    web.enrol().await;
    deliver_all(&web, numbered(0..2)).await;

    let stopped = orchestrator.restart();
    let sending = deliver_all(&web, numbered(2..4));
    let back = async {
        let orchestrator = stopped.await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        orchestrator.approve(&[&web]);
        orchestrator.serve_broker(&broker.url());
        orchestrator
    };
    let (orchestrator, ()) = tokio::join!(back, sending);
    assert_eq!(orchestrator.reports(), ["2", "3"], "each once, after the restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_users_cannot_have_replies_written_into_other_queues() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start().await;
    let mut state = orchestrator.serve_broker(&broker.url());
    state.wait_for(|state| *state == BrokerState::Connected).await.unwrap();

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
    let outgoing = web.messenger.prepare(Body::Announce(Box::new(web.announce()))).unwrap();
    let sender = muster_agent::message::Sender {
        fleet: "shop".parse().unwrap(),
        host: muster_schema::manifest::HostIdentity { id: web.name.clone(), key: web.keys.public_key() },
    };
    let payload = outgoing.to_payload(&sender, muster_agent::io::clock::now()).unwrap();
    let frame = muster_schema::envelope::join_frame(&web.keys.sign(&payload).unwrap(), &payload);
    for queue in ["victim", "muster.reply.own"] {
        let properties =
            BasicProperties::default().with_reply_to(queue.into()).with_correlation_id(outgoing.id.as_str().into());
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish("muster.inbound".into(), "enrol.web-1".into(), options, &frame, properties);
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
async fn broker_queues_are_not_blocked_by_garbage_and_forgeries() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start().await;
    let mut state = orchestrator.serve_broker(&broker.url());
    state.wait_for(|state| *state == BrokerState::Connected).await.unwrap();
    let web = Agent::amqp("web-1", &orchestrator, &broker.url());
    let db = Agent::amqp("db-1", &orchestrator, &broker.url());
    orchestrator.approve(&[&web, &db]);
    web.enrol().await;

    // db signs a report in web's name.
    let sender = muster_agent::message::Sender {
        fleet: "shop".parse().unwrap(),
        host: muster_schema::manifest::HostIdentity { id: web.name.clone(), key: web.keys.public_key() },
    };
    let payload = db.messenger.prepare(report("forged")).unwrap();
    let payload = payload.to_payload(&sender, muster_agent::io::clock::now()).unwrap();
    let forged = muster_schema::envelope::join_frame(&db.keys.sign(&payload).unwrap(), &payload);
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
    let columns = ["list_queues", "-p", "muster", "name", "messages"];
    let queues = String::from_utf8(broker.control(&columns).unwrap().stdout).unwrap();
    let inbound: Vec<&str> =
        queues.lines().filter(|line| line.starts_with("muster.") && !line.contains(".reply.")).collect();
    assert!(inbound.len() >= 4 && inbound.iter().all(|line| line.ends_with("\t0")), "{queues}");
}

/// The agent's connection stands while the orchestrator's is away, so nothing makes the agent look by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_waits_for_the_broker() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start().await;
    let mut state = orchestrator.serve_broker(&broker.url());
    state.wait_for(|state| *state == BrokerState::Connected).await.unwrap();
    let web = Agent::amqp("web-1", &orchestrator, &broker.url());
    orchestrator.approve(&[&web]);
    web.enrol().await;
    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look, "contact is there");

    let orchestrator = orchestrator.restart().await;
    orchestrator.approve(&[&web]);
    let listens = tokio::spawn(async move { web.messenger.listen().await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!listens.is_finished(), "it waits for a hint");
    let _state = orchestrator.serve_broker_after(&broker.url(), |inbound| {
        inbound.hints().notify_hosts(&["web-1".parse().unwrap()]);
    });
    let hinted = tokio::time::timeout(Duration::from_secs(20), listens).await;
    assert_eq!(hinted.expect("a hint within 20 s").unwrap().unwrap(), Woken::Look);
}
