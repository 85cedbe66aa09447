//! From the first sign of a host to its proof.

use super::*;

#[tokio::test]
async fn a_host_is_pending_then_challenged_then_enrolled() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    let mut changes = fleet.inbound.enrolment_changes();
    assert_eq!(code(&fleet.ask(&web, web.announce()).await), Some(ReceiptCode::Pending));
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    let pending = fleet.inbound.pending();
    assert_eq!((pending.len(), pending[0].key, pending[0].source.as_str()), (1, web.key(), "192.0.2.1"));
    assert_eq!(code(&fleet.ask(&web, web.announce()).await), Some(ReceiptCode::Pending));
    assert!(!changes.has_changed().unwrap(), "nothing new was said");

    fleet.approve(&[&web]);
    assert!(fleet.inbound.pending().is_empty());
    assert_eq!(fleet.prove(&web).await, Ok(web.id.clone()));
    let enrolled = fleet.inbound.enrolled();
    assert_eq!((enrolled.len(), &enrolled[0].recipient), (1, &web.recipient()));
    let signature = Signature::load(enrolled[0].signature.as_bytes()).unwrap();
    assert_eq!(signature.verify(enrolled[0].answer.as_bytes(), &web.key()), Ok(()), "the proof stands by itself");
    let told: Vec<_> = fleet.taken.lock().unwrap().iter().map(|message| message.body.body_type()).collect();
    assert_eq!(told, [muster_schema::message::BodyType::ChallengeAnswer]);
    assert_eq!(
        fleet.ask(&web, web.announce()).await,
        Body::Enrolled(muster_schema::message::Enrolled { id: web.id.clone() })
    );
}

#[tokio::test]
async fn the_lists_survive_a_restart() {
    let (fleet, web, new) = (Fleet::new(), Host::new("web-1"), Host::new("web-2"));
    fleet.enrol(&[&web]).await;
    let _ = fleet.ask(&new, new.announce()).await;
    let (pending, enrolled) = (fleet.inbound.pending(), fleet.inbound.enrolled());
    let fleet = Fleet::with_marks(fleet.dir, ReplayMarks::default());
    assert_eq!((fleet.inbound.pending(), fleet.inbound.enrolled()), (pending, enrolled));
}

#[tokio::test]
async fn a_wrong_answer_is_refused_and_needs_a_new_challenge() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.approve(&[&web]);
    let Body::Challenge(challenge) = fleet.ask(&web, web.announce()).await else { panic!("no challenge") };
    let right = answer(&web, &challenge.ciphertext);
    let wrong = ChallengeAnswer { answer: "00".repeat(32), ..right.clone() };
    assert_eq!(code(&fleet.ask(&web, Body::ChallengeAnswer(wrong)).await), Some(ReceiptCode::WrongAnswer));
    assert_eq!(code(&fleet.ask(&web, Body::ChallengeAnswer(right)).await), Some(ReceiptCode::NoChallenge));
    assert!(fleet.inbound.enrolled().is_empty() && fleet.taken().is_empty());
    assert_eq!(fleet.prove(&web).await, Ok(web.id.clone()));
}

#[tokio::test]
async fn a_new_key_in_the_file_needs_a_new_proof() {
    let (fleet, old, new) = (Fleet::new(), Host::new("web-1"), Host::new("web-1"));
    fleet.enrol(&[&old]).await;
    fleet.approve(&[&new]);
    assert_eq!(fleet.send(&new.sign(report())).await.refusal(), Some(ReceiptCode::NotEnrolled));
    assert_eq!(fleet.send(&old.sign(report())).await.refusal(), Some(ReceiptCode::UnknownKey));
    assert_eq!(fleet.prove(&new).await, Ok(new.id.clone()));
}

#[tokio::test]
async fn each_step_is_written_down_with_its_code() {
    use crate::audit::{Decision, check_log, load_entries};
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.approve(&[&web]);
    let wrong = ChallengeAnswer { answer: "00".repeat(32), recipient: web.recipient(), broker_hash: None };
    assert_eq!(code(&fleet.ask(&web, Body::ChallengeAnswer(wrong)).await), Some(ReceiptCode::NoChallenge));
    assert_eq!(fleet.prove(&web).await, Ok(web.id.clone()));
    let _ = fleet.send(b"nonsense").await;
    let text = std::fs::read(fleet.dir.path().join(crate::io::audit::AUDIT_LOG)).unwrap();
    assert_eq!(check_log(&text, &[]), []);
    let key = format!("key:{}", web.key().fingerprint());
    let entries = load_entries(&text);
    let told: Vec<_> =
        entries.iter().map(|entry| (entry.who.as_str(), entry.hosts.as_str(), entry.code.as_str())).collect();
    let of_key = |code| (key.as_str(), "web-1", code);
    let expected = [of_key("NoChallenge"), of_key("Challenged"), of_key("Enrolled"), ("192.0.2.1", "", "Malformed")];
    assert_eq!(told, expected);
    let decisions: Vec<_> = entries.iter().map(|entry| entry.decision).collect();
    assert_eq!(decisions, [Decision::Deny, Decision::Allow, Decision::Allow, Decision::Deny]);
}
