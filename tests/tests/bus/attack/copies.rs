//! Two machines with one key are found out, and nobody on the way can make one machine look like two.

use std::sync::Arc;

use muster_agent::io::messenger::Messenger;
use muster_agent::io::transport::Transport;
use muster_schema::manifest::HostIdentity;

use super::messages::Scene;
use crate::parties::Agent;

async fn show(messenger: &Messenger) {
    messenger.ask(messenger.presence()).await.unwrap();
}

fn start(scene: &Scene, host: &Agent) -> (Messenger, Arc<dyn Transport>) {
    let transport = scene.transport(&host.keys);
    (host.start_again(&scene.orchestrator, transport.clone()), transport)
}

/// A copy of a machine, with its keys, that runs beside it.
async fn two_machines_with_one_key(scene: Scene) {
    let (web, db) = (scene.agent("web-1"), scene.agent("db-1"));
    let inbound = &scene.orchestrator.inbound;
    scene.orchestrator.approve(&[&web, &db]);
    web.enrol().await;
    db.enrol().await;
    let (copy, _way) = start(&scene, &web);
    show(&web.messenger).await;
    show(&copy).await;
    assert_eq!(inbound.copied(), [], "a start after another is nothing yet");
    for _ in 0..2 {
        show(&web.messenger).await;
        show(&db.messenger).await;
        show(&copy).await;
    }
    let host = HostIdentity { id: web.name.clone(), key: web.keys.public_key() };
    assert_eq!(inbound.copied(), std::slice::from_ref(&host));
    let audit = std::fs::read_to_string(scene.orchestrator.audit_log()).unwrap();
    assert_eq!(audit.matches("CloneSuspected").count(), 1, "{audit}");
    // Somebody stopped the copy; the machine goes on, and is one.
    inbound.release(&host);
    for _ in 0..4 {
        show(&web.messenger).await;
    }
    assert_eq!(inbound.copied(), []);
}

/// One machine that starts again and again, while somebody on the way holds its messages back and repeats them.
async fn one_machine_that_starts_again(scene: Scene) {
    let web = scene.agent("web-1");
    scene.orchestrator.approve(&[&web]);
    web.enrol().await;
    let mut heard = Vec::new();
    for _ in 0..5 {
        let (now, way) = start(&scene, &web);
        for _ in 0..3 {
            heard.push(web.message_by(&web.keys, now.presence(), None));
            show(&now).await;
        }
        let high = web.messenger.prepare(now.presence()).unwrap().seq + 1_000;
        for message in heard.iter().rev().chain(&heard) {
            // Most are refused for their number; what is taken proves nothing.
            let _ = way.request(message).await;
        }
        // Numbers that nothing is above yet, as by a clock that was ahead: taken, and still no second machine.
        for (at, message) in heard.clone().iter().enumerate() {
            let body = muster_schema::message::Message::load(message.frame.splitn(5, |b| *b == b'\n').last().unwrap());
            let again = web.message_by(&web.keys, body.unwrap().body, Some(high + at as u64));
            way.request(&again).await.unwrap();
        }
        assert_eq!(scene.orchestrator.inbound.copied(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a48_two_machines_with_one_key_http() {
    two_machines_with_one_key(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a48_two_machines_with_one_key_amqp() {
    if let Some(scene) = Scene::amqp().await {
        two_machines_with_one_key(scene).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a48_one_machine_that_starts_again_http() {
    one_machine_that_starts_again(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a48_one_machine_that_starts_again_amqp() {
    if let Some(scene) = Scene::amqp().await {
        one_machine_that_starts_again(scene).await;
    }
}
