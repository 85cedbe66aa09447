//! The broker goes and comes back; so does the orchestrator.

use std::time::{Duration, Instant};

use muster_agent::io::messenger::Woken;
use muster_reconciler::io::bus::BrokerState;
use muster_tests::broker::Broker;
use muster_tests::need;

use crate::parties::{Agent, Orchestrator, report};

pub(crate) const BACK: Duration = Duration::from_secs(60);

/// Delivers reports in order, each until its receipt, as the outbox does.
pub(crate) async fn deliver_all(agent: &Agent, texts: impl Iterator<Item = String>) {
    for text in texts {
        let mut outgoing = agent.messenger.prepare(report(&text)).unwrap();
        let start = Instant::now();
        while let Err(error) = agent.messenger.deliver(&mut outgoing).await {
            assert!(start.elapsed() < BACK, "{text}: {error:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

pub(crate) fn numbered(range: std::ops::Range<u32>) -> impl Iterator<Item = String> + Clone {
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
    let orchestrator = Orchestrator::start_on(&broker).await;
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

/// The agent's connection stands while the orchestrator's is away, so nothing makes the agent look by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_waits_for_the_broker() {
    if !need::has(need::BROKER) {
        return;
    }
    let broker = Broker::start().unwrap();
    let orchestrator = Orchestrator::start_on(&broker).await;
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
