//! Every reason to refuse a frame, and that nothing of a refused one reaches the cycle.

use super::*;

#[tokio::test]
async fn a_report_of_an_enrolled_host_reaches_the_cycle() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let message = web.message(report());
    let reply = fleet.send(&web.frame(&message)).await;
    assert_eq!(code(&fleet.body_of(&message, reply)), Some(ReceiptCode::Accepted));
    assert_eq!(*fleet.taken.lock().unwrap(), [message]);
}

#[tokio::test]
async fn a_head_request_is_answered_by_the_cycle() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let nonce = "ab".repeat(16);
    let body = fleet.ask(&web, Body::HeadRequest(muster_schema::message::HeadRequest { nonce })).await;
    assert_eq!(body, Body::HeadReply(HeadReply { head: None, signature: None, root: None }));
}

#[tokio::test]
async fn a_report_sent_again_is_acknowledged_again_and_not_applied_again() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let first = web.message(report());
    let second = web.message(report());
    for message in [&first, &first, &second] {
        let reply = fleet.send(&web.frame(message)).await;
        assert_eq!(code(&fleet.body_of(message, reply)), Some(ReceiptCode::Accepted));
    }
    assert_eq!(fleet.taken(), [first.seq, second.seq]);

    let reply = fleet.send(&web.frame(&first)).await;
    let Body::Receipt(Receipt { accepted: false, code, seq, .. }) = fleet.body_of(&first, reply) else {
        panic!("a replay was taken")
    };
    assert_eq!((code.as_str(), seq), ("Replayed", Some(second.seq)));
    assert_eq!(fleet.taken().len(), 2);
}

#[tokio::test]
async fn ten_copies_at_once_have_one_effect() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let message = web.message(report());
    let frame = web.frame(&message);
    let replies = futures_util::future::join_all((0..10).map(|_| fleet.send(&frame))).await;
    assert!(replies.iter().all(|reply| reply.refusal().is_none()), "{replies:?}");
    assert_eq!(fleet.taken(), [message.seq]);
}

#[tokio::test]
async fn a_replay_is_refused_after_a_restart_too() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let (old, last) = (web.message(report()), web.message(report()));
    for message in [&old, &last] {
        assert_eq!(fleet.send(&web.frame(message)).await.refusal(), None);
    }
    let mut marks = ReplayMarks::default();
    marks.raise(web.key(), crate::inbound::Stream::Reports, last.seq);
    let fleet = Fleet::with_marks(fleet.dir, marks);
    fleet.approve(&[&web]);
    assert_eq!(fleet.send(&web.frame(&old)).await.refusal(), Some(ReceiptCode::Replayed));
    assert_eq!(fleet.send(&web.frame(&last)).await.refusal(), None, "its receipt was lost, perhaps");
    assert!(fleet.taken().is_empty());
    assert_eq!(fleet.send(&web.sign(report())).await.refusal(), None, "still enrolled");
}

#[tokio::test]
async fn presence_is_not_to_be_replayed_at_all() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let frame = web.sign(presence());
    assert_eq!(fleet.send(&frame).await.refusal(), None);
    assert_eq!(fleet.send(&frame).await.refusal(), Some(ReceiptCode::Replayed));
}

#[tokio::test]
async fn what_is_not_meant_for_us_now_is_refused() {
    let (fleet, web, db) = (Fleet::new(), Host::new("web-1"), Host::new("db-1"));
    fleet.enrol(&[&web, &db]).await;
    let good = web.message(report());
    let now = clock::now();
    let ago = |seconds: u64| Timestamp(now.0 - seconds * 1000);
    let cases = [
        (ReceiptCode::WrongFleet, Message { fleet: "shed".parse().unwrap(), ..good.clone() }),
        (ReceiptCode::WrongRecipient, Message { to: Party::Host(db.identity()), ..good.clone() }),
        (ReceiptCode::Expired, Message { issued: ago(61), expires: ago(1), ..good.clone() }),
        (ReceiptCode::Expired, Message { issued: ago(8 * 86_400), ..good.clone() }),
        (ReceiptCode::FromFuture, Message { issued: now.plus(Duration::from_secs(600)), ..good.clone() }),
        (
            ReceiptCode::WrongType,
            Message { body: super::super::reply::accept(ReceiptCode::Accepted, ""), ..good.clone() },
        ),
        (
            ReceiptCode::WrongHost,
            Message { from: Party::Host(HostIdentity { id: db.id.clone(), key: web.key() }), ..good.clone() },
        ),
    ];
    for (expected, message) in cases {
        let reply = fleet.send(&web.frame(&message)).await;
        assert_eq!(reply.refusal(), Some(expected));
        let body = fleet.body_of(&message, reply);
        assert_eq!(code(&body), Some(expected), "the sender is told");
    }
    assert!(fleet.taken().is_empty());
    assert_eq!(fleet.send(&web.frame(&good)).await.refusal(), None, "the next good one is taken");
}

#[tokio::test]
async fn an_unknown_key_may_only_announce() {
    let (fleet, stranger) = (Fleet::new(), Host::new("web-1"));
    assert_eq!(fleet.send(&stranger.sign(report())).await.refusal(), Some(ReceiptCode::UnknownKey));
    assert_eq!(fleet.send(&stranger.sign(presence())).await.refusal(), Some(ReceiptCode::UnknownKey));
    assert!(fleet.taken().is_empty());
}

#[tokio::test]
async fn an_approved_key_is_nothing_before_its_challenge_and_after_its_host_left() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.approve(&[&web]);
    assert_eq!(fleet.send(&web.sign(report())).await.refusal(), Some(ReceiptCode::NotEnrolled));
    fleet.enrol(&[&web]).await;
    assert_eq!(fleet.send(&web.sign(report())).await.refusal(), None);
    fleet.inbound.set_approved([ApprovedHost { leaving: true, ..web.approved() }].into_iter().collect());
    assert_eq!(fleet.send(&web.sign(report())).await.refusal(), None, "it may report that it stopped");
    fleet.approve(&[]);
    assert_eq!(fleet.send(&web.sign(report())).await.refusal(), Some(ReceiptCode::UnknownKey));
}

#[tokio::test]
async fn a_busy_cycle_is_told_and_nothing_is_marked() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let (cycle, mut messages) = mpsc::channel::<InboundMessage>(1);
    let settings = InboundSettings {
        fleet: "shop".parse().unwrap(),
        fresh: Arc::new(FileSigner::load(&fleet.dir.path().join("fresh.key"), None).unwrap()),
        enrolment_dir: &fleet.dir.path().join("enrolment"),
        marks: ReplayMarks::default(),
        audit: Arc::new(crate::io::audit::AuditLog::open(fleet.dir.path()).unwrap()),
        cycle,
    };
    let inbound = Inbound::open(settings).unwrap();
    inbound.set_approved([web.approved()].into_iter().collect());
    let frame = web.sign(report());
    // The first time the cycle drops it, then it takes it.
    tokio::spawn(async move {
        drop(messages.recv().await);
        let InboundMessage { respond, .. } = messages.recv().await.unwrap();
        respond.send(super::super::reply::accept(ReceiptCode::Accepted, "")).unwrap();
    });
    assert_eq!(inbound.handle_frame(&frame, Source::Broker).await.refusal(), Some(ReceiptCode::Busy));
    assert_eq!(inbound.handle_frame(&frame, Source::Broker).await.refusal(), None);
}
