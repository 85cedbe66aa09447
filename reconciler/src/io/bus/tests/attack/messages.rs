//! What agents would say in the place of others.

use super::super::*;

#[tokio::test]
async fn a25_garbage_and_giants_are_dropped() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    for garbage in [&b""[..], b"\n\n\n\n", b"untrusted comment: \n", &[0xff; 4096], &vec![b'a'; 3 << 20]] {
        assert_eq!(fleet.send(garbage).await.refusal(), Some(ReceiptCode::Malformed));
    }
    let sign = |payload: &[u8]| {
        let text = minisign::sign(None, &web.pair.sk, payload, Some("t"), Some("u")).unwrap().into_string();
        join_frame(&Signature::load(text.as_bytes()).unwrap(), payload)
    };
    let giant = vec![b' '; muster_schema::message::MAX_MESSAGE_BYTES + 1];
    assert_eq!(fleet.send(&sign(&giant)).await.refusal(), Some(ReceiptCode::TooLarge));
    let deep = "[".repeat(100_000);
    assert_eq!(fleet.send(&sign(deep.as_bytes())).await.refusal(), Some(ReceiptCode::Malformed));
    let twice = String::from_utf8(web.message(report()).to_bytes().unwrap()).unwrap().replacen('{', "{\"seq\":1,", 1);
    assert_eq!(fleet.send(&sign(twice.as_bytes())).await.refusal(), Some(ReceiptCode::Malformed));
    assert!(fleet.taken().is_empty());
}

#[tokio::test]
async fn a47_a_forged_report_of_another_host_is_refused() {
    let (fleet, web, db) = (Fleet::new(), Host::new("web-1"), Host::new("db-1"));
    fleet.enrol(&[&web, &db]).await;
    // web signs in db's name, with db's key written into it.
    let forged = db.message(report());
    assert_eq!(fleet.send(&web.frame(&forged)).await.refusal(), Some(ReceiptCode::BadSignature));
    // web takes db's key id, too.
    let payload = forged.to_bytes().unwrap();
    let with_id = [split_frame(&db.sign(report())).unwrap().0.text().as_bytes(), &payload].concat();
    assert_eq!(fleet.send(&with_id).await.refusal(), Some(ReceiptCode::BadSignature));
    let mut flipped = db.frame(&forged);
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(fleet.send(&flipped).await.refusal(), Some(ReceiptCode::BadSignature));
    assert!(fleet.taken().is_empty());
    assert_eq!(fleet.send(&db.frame(&forged)).await.refusal(), None, "db itself may say it");
}
