//! Live requests at the orchestrator's end: who may answer, and what becomes of one that nobody answers.

use super::*;
use muster_schema::api::Method;
use muster_schema::message::{LiveAnswer, LiveRequest};

const PATIENCE: Duration = Duration::from_secs(5);

fn request() -> LiveRequest {
    LiveRequest { method: Method::Get, target: "/v1/facts".to_owned() }
}

fn answer(text: &str) -> Body {
    Body::LiveAnswer(LiveAnswer { status: 200, body: text.to_owned() })
}

/// Asks `host` while it polls; gives the request as the host sees it, and who waits.
async fn ask(
    fleet: &Fleet,
    host: &Host,
    patience: Duration,
) -> (Message, tokio::task::JoinHandle<Result<LiveAnswer, NotAnswered>>) {
    let inbound = fleet.inbound.clone();
    let poll = tokio::spawn({
        let (inbound, id) = (inbound.clone(), host.identity());
        async move { inbound.live().next_for(&id).await }
    });
    tokio::task::yield_now().await;
    let identity = host.identity();
    let asked = tokio::spawn(async move { inbound.ask(&identity, request(), patience).await });
    let frame = poll.await.unwrap();
    let (signature, payload) = split_frame(&frame).unwrap();
    signature.verify(payload, &fleet.fresh).unwrap();
    (Message::load(payload).unwrap(), asked)
}

#[tokio::test]
async fn a_request_is_signed_for_one_host_and_its_answer_comes_back() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let (seen, asked) = ask(&fleet, &web, PATIENCE).await;
    assert_eq!((&seen.from, &seen.to), (&Party::Orchestrator, &Party::Host(web.identity())));
    assert!(seen.expires <= seen.issued.plus(PATIENCE), "it is good for as long as somebody waits");
    let message = Message { in_reply_to: Some(seen.id), ..web.message(answer("{}")) };
    let reply = fleet.send(&web.frame(&message)).await;
    assert_eq!(code(&fleet.body_of(&message, reply)), Some(ReceiptCode::Accepted));
    assert_eq!(asked.await.unwrap(), Ok(LiveAnswer { status: 200, body: "{}".to_owned() }));
}

#[tokio::test]
async fn only_the_host_that_was_asked_can_answer() {
    let (fleet, web, db) = (Fleet::new(), Host::new("web-1"), Host::new("db-1"));
    fleet.enrol(&[&web, &db]).await;
    let (seen, asked) = ask(&fleet, &web, PATIENCE).await;
    let forged = Message { in_reply_to: Some(seen.id.clone()), ..db.message(answer("\"forged\"")) };
    fleet.send(&db.frame(&forged)).await;
    let stranger = Host::new("web-1");
    let unknown = Message { in_reply_to: Some(seen.id.clone()), ..stranger.message(answer("\"forged\"")) };
    assert_eq!(fleet.send(&stranger.frame(&unknown)).await.refusal(), Some(ReceiptCode::UnknownKey));
    assert!(!asked.is_finished());
    let message = Message { in_reply_to: Some(seen.id), ..web.message(answer("\"own\"")) };
    fleet.send(&web.frame(&message)).await;
    assert_eq!(asked.await.unwrap().unwrap().body, "\"own\"");
    // The same once more has no effect, and is no fault.
    let again = fleet.send(&web.frame(&message)).await;
    assert_eq!(code(&fleet.body_of(&message, again)), Some(ReceiptCode::Accepted));
}

#[tokio::test]
async fn who_is_not_there_is_told_at_once_and_who_is_silent_in_time() {
    let (fleet, web, db) = (Fleet::new(), Host::new("web-1"), Host::new("db-1"));
    fleet.enrol(&[&web, &db]).await;
    assert_eq!(fleet.inbound.ask(&db.identity(), request(), PATIENCE).await, Err(NotAnswered::NotConnected));
    let (_, asked) = ask(&fleet, &web, Duration::from_millis(50)).await;
    assert_eq!(asked.await.unwrap(), Err(NotAnswered::TimedOut));
}

#[tokio::test]
async fn what_waits_for_a_poll_is_bounded_and_what_is_too_old_is_not_handed_out() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    // It has just polled, and is about to poll again.
    let polled = tokio::time::timeout(Duration::from_millis(10), fleet.inbound.live().next_for(&web.identity())).await;
    assert!(polled.is_err());
    let ask = |patience| {
        let (inbound, identity) = (fleet.inbound.clone(), web.identity());
        tokio::spawn(async move { inbound.ask(&identity, request(), patience).await })
    };
    let asked: Vec<_> = (0..40).map(|_| ask(Duration::from_millis(200))).collect();
    let mut outcomes = Vec::new();
    for asked in asked {
        outcomes.push(asked.await.unwrap());
    }
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(NotAnswered::Busy)).count(), 8, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(NotAnswered::TimedOut)).count(), 32);
    let polled = tokio::time::timeout(Duration::from_millis(50), fleet.inbound.live().next_for(&web.identity())).await;
    assert!(polled.is_err(), "their time is over");
}

#[tokio::test]
async fn who_polls_with_a_key_that_was_exchanged_gets_nothing_that_is_for_the_new_one() {
    let (fleet, old, new) = (Fleet::new(), Host::new("web-1"), Host::new("web-1"));
    fleet.enrol(&[&old]).await;
    let inbound = fleet.inbound.clone();
    let identity = old.identity();
    let poll = tokio::spawn(async move { inbound.live().next_for(&identity).await });
    tokio::task::yield_now().await;
    fleet.enrol(&[&new]).await;
    assert_eq!(fleet.inbound.ask(&new.identity(), request(), PATIENCE).await, Err(NotAnswered::NotConnected));
    assert!(!poll.is_finished());
    poll.abort();
}
