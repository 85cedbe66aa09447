//! Hosts that nobody approved.

use super::super::*;

#[tokio::test]
async fn a50_two_keys_that_claim_one_name_are_shown_and_only_the_approved_one_is_bound() {
    let (fleet, real, squatter) = (Fleet::new(), Host::new("web-1"), Host::new("web-1"));
    for host in [&squatter, &real] {
        assert_eq!(code(&fleet.ask(host, host.announce()).await), Some(ReceiptCode::Pending));
    }
    let mut shown: Vec<_> = fleet.inbound.pending().iter().map(|host| host.key.fingerprint()).collect();
    let mut expected = vec![real.key().fingerprint(), squatter.key().fingerprint()];
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    fleet.approve(&[&real]);
    assert_eq!(fleet.prove(&real).await, Ok(real.id.clone()));
    assert_eq!(code(&fleet.ask(&squatter, squatter.announce()).await), Some(ReceiptCode::Pending));
    assert_eq!(fleet.send(&squatter.sign(report())).await.refusal(), Some(ReceiptCode::UnknownKey));
}

#[tokio::test]
async fn a50_the_answer_of_another_host_proves_nothing() {
    let (fleet, web, db) = (Fleet::new(), Host::new("web-1"), Host::new("db-1"));
    fleet.approve(&[&web, &db]);
    let Body::Challenge(challenge) = fleet.ask(&web, web.announce()).await else { panic!("no challenge") };
    let stolen = answer(&web, &challenge.ciphertext);
    assert_eq!(code(&fleet.ask(&db, Body::ChallengeAnswer(stolen)).await), Some(ReceiptCode::NoChallenge));
    assert!(fleet.inbound.enrolled().is_empty());
}

#[tokio::test]
async fn a50_a_recipient_that_the_file_does_not_name_is_refused() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    let other = ApprovedHost { recipient: Some(Host::new("x").recipient()), ..web.approved() };
    fleet.inbound.set_approved([other].into_iter().collect());
    assert_eq!(code(&fleet.ask(&web, web.announce()).await), Some(ReceiptCode::WrongAgeRecipient));
    let unnamed = ApprovedHost { recipient: None, ..web.approved() };
    fleet.inbound.set_approved([unnamed].into_iter().collect());
    assert_eq!(fleet.prove(&web).await, Ok(web.id.clone()));
}

#[tokio::test]
async fn a50_a_flood_of_announcements_is_capped_by_source() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    let mut refused = 0;
    for _ in 0..200 {
        let stranger = Host::new("flood");
        let reply = fleet.send(&stranger.sign(stranger.announce())).await;
        refused += usize::from(reply.refusal() == Some(ReceiptCode::RateLimited));
    }
    let listed = fleet.inbound.pending().len();
    assert_eq!(listed + refused, 200);
    assert!((64..120).contains(&listed), "{listed} were listed");
    let elsewhere = Source::Address([198, 51, 100, 1].into());
    let reply = fleet.inbound.handle_frame(&web.sign(web.announce()), elsewhere).await;
    assert_eq!(reply.refusal(), None, "others are not kept out");
    let files = std::fs::read_dir(fleet.dir.path().join("enrolment/pending")).unwrap().count();
    assert_eq!(files, listed + 1);
}

#[tokio::test]
async fn a51_an_announcement_that_would_upset_a_terminal_or_is_huge_is_refused() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    let with = |change: fn(&mut Announce)| {
        let Body::Announce(mut announce) = web.announce() else { unreachable!() };
        change(&mut announce);
        web.sign(Body::Announce(announce))
    };
    let escapes = with(|announce| announce.facts.hostname = "\u{1b}]0;owned\u{7}".into());
    assert_eq!(fleet.send(&escapes).await.refusal(), Some(ReceiptCode::Malformed));
    let huge = with(|announce| announce.facts.hostname = "x".repeat(20_000));
    assert_eq!(fleet.send(&huge).await.refusal(), Some(ReceiptCode::TooLarge));
    assert!(fleet.inbound.pending().is_empty());
}
