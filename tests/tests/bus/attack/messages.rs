//! Messages that are forged, numbered wrongly, or too many, over both transports.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use muster_agent::enrol::Step;
use muster_agent::io::host_keys::HostKeys;
use muster_agent::io::messenger::MessengerError;
use muster_agent::io::transport::Transport;
use muster_agent::message::SignedMessage;
use muster_schema::ReceiptCode;
use muster_schema::api::Method;
use muster_schema::envelope::Signature;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Announce, Body, LiveRequest, Replaces, successor_statement};
use muster_tests::broker::Broker;
use muster_tests::need;

use crate::parties::{Agent, Orchestrator, report};

/// An orchestrator, and the way to it.
pub(crate) struct Scene {
    pub(crate) orchestrator: Orchestrator,
    broker: Option<Broker>,
}

impl Scene {
    pub(crate) async fn http() -> Scene {
        Scene { orchestrator: Orchestrator::start().await, broker: None }
    }

    pub(crate) async fn amqp() -> Option<Scene> {
        if !need::has(need::BROKER) {
            return None;
        }
        let broker = Broker::start().unwrap();
        Some(Scene { orchestrator: Orchestrator::start_on(&broker).await, broker: Some(broker) })
    }

    pub(crate) fn agent(&self, name: &str) -> Agent {
        match &self.broker {
            Some(broker) => Agent::amqp(name, &self.orchestrator, &broker.url()),
            None => Agent::http(name, &self.orchestrator),
        }
    }

    pub(crate) fn transport(&self, keys: &HostKeys) -> Arc<dyn Transport> {
        crate::parties::transport(&self.orchestrator, self.broker.as_ref().map(|broker| broker.url()).as_deref(), keys)
    }

    /// Sends `body`, numbered `seq`, in the name of `named`, signed by `signer`.
    async fn send(&self, named: &Agent, signer: &HostKeys, body: Body, seq: Option<u64>) {
        let message = named.message_by(signer, body, seq);
        // What is forged gets no answer.
        let _ = self.transport(signer).request(&message).await;
    }
}

async fn a_reply_by_another_key(scene: Scene) {
    let (orchestrator, other) = (&scene.orchestrator, Orchestrator::start().await);
    let web = scene.agent("web-1");
    web.messenger.set_fresh_keys(vec![other.fresh]);
    let error = web.messenger.ask(Body::Announce(Box::new(web.announce()))).await.unwrap_err();
    assert!(matches!(error, MessengerError::Reply(_)), "{error:?}");
    web.messenger.set_fresh_keys(vec![orchestrator.fresh]);
    let refused = web.messenger.ask(report("x")).await.unwrap_err();
    assert_eq!(refused.code(), Some(ReceiptCode::UnknownKey));
}

#[tokio::test(flavor = "multi_thread")]
async fn a24_a_reply_by_another_key_is_not_believed_http() {
    a_reply_by_another_key(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a24_a_reply_by_another_key_is_not_believed_amqp() {
    if let Some(scene) = Scene::amqp().await {
        a_reply_by_another_key(scene).await;
    }
}

async fn a_report_of_another_host(scene: Scene) {
    let (web, db) = (scene.agent("web-1"), scene.agent("db-1"));
    scene.orchestrator.approve(&[&web, &db]);
    web.enrol().await;
    db.enrol().await;
    scene.send(&web, &db.keys, report("forged"), None).await;
    assert_eq!((scene.orchestrator.reports(), scene.orchestrator.inbound.refused()), (vec![], 1));
    web.messenger.ask(report("its own")).await.unwrap();
    assert_eq!(scene.orchestrator.reports(), ["its own"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a47_a_report_of_another_host_http() {
    a_report_of_another_host(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a47_a_report_of_another_host_amqp() {
    if let Some(scene) = Scene::amqp().await {
        a_report_of_another_host(scene).await;
    }
}

/// A number that was passed has no effect, and the host learns above which one to go on.
async fn numbers_that_go_back(scene: Scene) {
    let web = scene.agent("web-1");
    scene.orchestrator.approve(&[&web]);
    web.enrol().await;
    let mut high = web.messenger.prepare(report("high")).unwrap();
    high.seq += 3_600_000;
    web.messenger.deliver(&mut high).await.unwrap();
    scene.send(&web, &web.keys, report("back"), Some(high.seq - 1)).await;
    assert_eq!((scene.orchestrator.reports(), scene.orchestrator.inbound.refused()), (vec!["high".to_owned()], 1));
    let mut low = web.messenger.prepare(report("low")).unwrap();
    assert!(low.seq < high.seq);
    web.messenger.deliver(&mut low).await.unwrap();
    assert!(low.seq > high.seq);
    assert_eq!(scene.orchestrator.reports(), ["high", "low"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a48_numbers_that_go_back_http() {
    numbers_that_go_back(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a48_numbers_that_go_back_amqp() {
    if let Some(scene) = Scene::amqp().await {
        numbers_that_go_back(scene).await;
    }
}

/// Many keys that claim one name: few are listed, none is bound, and who is approved gets in.
async fn a_flood_of_announcements(scene: Scene) {
    let web = scene.agent("web-1");
    scene.orchestrator.approve(&[&web]);
    let announcement = |_| {
        let stranger = Agent::http("web-1", &scene.orchestrator);
        stranger.message_by(&stranger.keys, Body::Announce(Box::new(stranger.announce())), None)
    };
    let flood: Vec<SignedMessage> = (0..300).map(announcement).collect();
    let transport = scene.transport(&web.keys);
    join_all(flood.iter().map(|message| transport.request(message))).await;
    let listed = scene.orchestrator.inbound.pending();
    assert!(listed.len() < 250 && listed.iter().all(|host| host.key != web.keys.public_key()), "{}", listed.len());
    assert!(scene.orchestrator.inbound.refused() > 0 && scene.orchestrator.inbound.enrolled().is_empty());
    assert_eq!(web.step().await, Step::Enrolled(web.name.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a50_a_flood_of_announcements_in_one_name_http() {
    a_flood_of_announcements(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a50_a_flood_of_announcements_in_one_name_amqp() {
    if let Some(scene) = Scene::amqp().await {
        a_flood_of_announcements(scene).await;
    }
}

/// From the moment that its key is out of its file: no message, no file of the tree, no live request, no new try.
async fn a_key_that_was_taken_back(scene: Scene) {
    let (web, path) = (scene.agent("web-1"), "hosts/web-1/head.json");
    let orchestrator = &scene.orchestrator;
    orchestrator.approve(&[&web]);
    web.enrol().await;
    orchestrator.publish(path, b"{}");
    assert!(web.messenger.fetch(path, 100).await.unwrap().is_some());
    web.messenger.ask(report("mine")).await.unwrap();

    orchestrator.revoke(&[&web]);
    let revoked = Some(ReceiptCode::KeyRevoked);
    assert_eq!(web.messenger.ask(report("stolen")).await.unwrap_err().code(), revoked);
    assert_eq!(web.messenger.fetch(path, 100).await.unwrap_err().code(), revoked);
    let announce = Body::Announce(Box::new(web.announce()));
    assert_eq!(web.messenger.ask(announce).await.unwrap_err().code(), revoked);
    assert_eq!((orchestrator.inbound.pending(), orchestrator.reports()), (vec![], vec!["mine".to_owned()]));

    // The host has new keys by now: the old ones hear nothing of what it is asked, and it does.
    let anew = scene.agent("web-1");
    orchestrator.approve_instead(&[&anew], &[&web]);
    anew.enrol().await;
    let host = HostIdentity { id: anew.name.clone(), key: anew.keys.public_key() };
    let request = LiveRequest { method: Method::Get, target: "/v1/facts".into() };
    let asked = orchestrator.inbound.ask(&host, request, Duration::from_secs(1));
    let listening = web.messenger.listen();
    assert_eq!(listening.await.unwrap_err().code(), revoked);
    assert!(asked.await.is_err(), "nobody answers for it");
    anew.messenger.ask(report("anew")).await.unwrap();
    assert_eq!(orchestrator.reports(), ["mine", "anew"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a46_a_key_that_was_taken_back_http() {
    a_key_that_was_taken_back(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a46_a_key_that_was_taken_back_amqp() {
    if let Some(scene) = Scene::amqp().await {
        a_key_that_was_taken_back(scene).await;
    }
}

/// Only an enrolled host's own word makes a key its successor, and a name makes none.
async fn a_successor_that_nobody_signed(scene: Scene) {
    let (web, db) = (scene.agent("web-1"), scene.agent("db-1"));
    let orchestrator = &scene.orchestrator;
    orchestrator.approve(&[&web, &db]);
    web.enrol().await;
    db.enrol().await;
    let stranger = scene.agent("web-1");
    let (fleet, new) = ("shop".parse().unwrap(), stranger.keys.public_key());
    let (old, recipient) = (web.keys.public_key(), stranger.keys.recipient());
    let right = successor_statement(&fleet, &old, &new, &recipient);
    let others = [
        (db.keys.sign(&right).unwrap(), "another host's word"),
        (stranger.keys.sign(&right).unwrap(), "its own word"),
        (web.keys.sign(&successor_statement(&"other".parse().unwrap(), &old, &new, &recipient)).unwrap(), "the fleet"),
        (web.keys.sign(&successor_statement(&fleet, &old, &old, &recipient)).unwrap(), "the key"),
        (web.keys.sign(&successor_statement(&fleet, &old, &new, &web.keys.recipient())).unwrap(), "the recipient"),
    ];
    let announce = |signature: &Signature| {
        let replaces = Some(Replaces { key: old, signature: signature.text().to_owned() });
        Body::Announce(Box::new(Announce { replaces, ..stranger.announce() }))
    };
    for (signature, what) in &others {
        let refused = stranger.messenger.ask(announce(signature)).await.unwrap_err();
        assert_eq!(refused.code(), Some(ReceiptCode::SuccessorInvalid), "{what}");
    }
    assert_eq!(orchestrator.inbound.pending(), []);
    // The next good one is taken, names its host, and stands only as long as the key of before does.
    let good = web.keys.sign(&right).unwrap();
    assert!(stranger.messenger.ask(announce(&good)).await.is_ok());
    let listed = orchestrator.inbound.pending();
    assert_eq!(listed[0].replaces, Some(HostIdentity { id: web.name.clone(), key: old }));
    web.messenger.ask(report("goes on")).await.unwrap();
    orchestrator.approve_instead(&[&db], &[&web]);
    assert_eq!(orchestrator.inbound.pending(), []);
    let refused = stranger.messenger.ask(announce(&good)).await.unwrap_err();
    assert_eq!(refused.code(), Some(ReceiptCode::SuccessorInvalid));
}

#[tokio::test(flavor = "multi_thread")]
async fn a50_a_successor_that_nobody_signed_http() {
    a_successor_that_nobody_signed(Scene::http().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a50_a_successor_that_nobody_signed_amqp() {
    if let Some(scene) = Scene::amqp().await {
        a_successor_that_nobody_signed(scene).await;
    }
}
