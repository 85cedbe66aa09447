//! What both transports do alike.

use std::time::{Duration, Instant};

use muster_agent::enrol::Step;
use muster_agent::io::messenger::{MessengerError, Woken};
use muster_schema::ReceiptCode;
use muster_schema::message::{Body, HeadRequest};
use muster_tests::broker::Broker;
use muster_tests::need;

use crate::parties::{Agent, Orchestrator, report};

/// From the first sign of two agents to hints and files.
async fn converse(orchestrator: &Orchestrator, web: &Agent, db: &Agent) {
    let refused = web.messenger.ask(report("too early")).await.unwrap_err();
    assert_eq!(refused.code(), Some(ReceiptCode::UnknownKey), "{refused:?}");
    for agent in [web, db] {
        assert_eq!(agent.step().await, Step::Pending);
    }
    let shown: Vec<String> = orchestrator.inbound.pending().iter().map(|host| host.announce.name.to_string()).collect();
    assert!(shown.contains(&"web-1".to_owned()) && shown.contains(&"db-1".to_owned()), "{shown:?}");
    orchestrator.approve(&[web, db]);
    let refused = web.messenger.ask(report("too early")).await.unwrap_err();
    assert_eq!(refused.code(), Some(ReceiptCode::NotEnrolled), "{refused:?}");
    for agent in [web, db] {
        agent.enrol().await;
    }
    assert!(orchestrator.inbound.pending().is_empty());

    let mut first = web.messenger.prepare(report("one")).unwrap();
    for _ in 0..2 {
        let receipt = web.messenger.deliver(&mut first).await.unwrap();
        assert!(matches!(receipt, Body::Receipt(receipt) if receipt.accepted));
    }
    web.messenger.ask(report("two")).await.unwrap();
    assert_eq!(orchestrator.reports(), ["one", "two"]);

    let nonce = "5e".repeat(16);
    let reply = web.messenger.ask(Body::HeadRequest(HeadRequest { nonce: nonce.clone() })).await.unwrap();
    assert!(matches!(reply, Body::HeadReply(reply) if reply.head == Some(nonce)));

    let path = "hosts/web-1/head.json";
    assert_eq!(web.messenger.fetch(path, 100).await.unwrap(), None, "not published yet");
    orchestrator.publish(path, b"{\"head\":1}");
    assert_eq!(web.messenger.fetch(path, 100).await.unwrap().as_deref(), Some(b"{\"head\":1}".as_slice()));
    assert!(web.messenger.fetch(path, 10).await.is_ok(), "exactly as large as allowed");
    assert!(matches!(web.messenger.fetch(path, 9).await, Err(MessengerError::Transport(_))), "one byte more");
    let refused = db.messenger.fetch(path, 100).await.unwrap_err();
    assert_eq!(refused.code(), Some(ReceiptCode::NotYours), "{refused:?}");

    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look, "contact is new");
    assert_eq!(db.messenger.listen().await.unwrap(), Woken::Look);
    let hint = async {
        // Until the agent listens, hints to it are lost; a lost one costs a poll.
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            orchestrator.inbound.hints().notify_hosts([&web.name]);
        }
    };
    tokio::select! {
        woken = web.messenger.listen() => assert_eq!(woken.unwrap(), Woken::Look),
        woken = db.messenger.listen() => panic!("another host's hint came: {woken:?}"),
        () = hint => panic!("no hint came in 5 s"),
    }
    assert!(web.messenger.trusted_time().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_and_orchestrator_converse_over_http() {
    let orchestrator = Orchestrator::start().await;
    let (web, db) = (Agent::http("web-1", &orchestrator), Agent::http("db-1", &orchestrator));
    converse(&orchestrator, &web, &db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_agents_and_orchestrator_converse_over_amqp() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start_on(&broker).await;
    let (web, db) =
        (Agent::amqp("web-1", &orchestrator, &broker.url()), Agent::amqp("db-1", &orchestrator, &broker.url()));
    converse(&orchestrator, &web, &db).await;

    // A hint reaches a listening agent at once.
    tokio::time::sleep(Duration::from_millis(300)).await;
    while let Ok(woken) = tokio::time::timeout(Duration::from_millis(300), web.messenger.listen()).await {
        woken.unwrap();
    }
    let start = Instant::now();
    orchestrator.inbound.hints().notify_hosts([&web.name]);
    assert_eq!(web.messenger.listen().await.unwrap(), Woken::Look);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    let queues = broker.control(&["list_queues", "-p", "muster", "name", "messages"]).unwrap();
    let queues = String::from_utf8(queues.stdout).unwrap();
    let depth = |queue: &str| queues.lines().find(|line| line.starts_with(queue)).map(|line| line.ends_with("\t0"));
    assert_eq!((depth("muster.report"), depth("muster.enrol")), (Some(true), Some(true)), "{queues}");
}
