//! The same door over real HTTP, and the published tree.

mod attack;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// Status, headers and body of one request, written by hand.
fn raw(address: SocketAddr, request: &[u8]) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    // The server may refuse before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head, answer[end..].to_vec())
}

async fn request(address: SocketAddr, request: Vec<u8>) -> (u16, String, Vec<u8>) {
    tokio::task::spawn_blocking(move || raw(address, &request)).await.unwrap()
}

async fn post(address: SocketAddr, path: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    request(address, [head.as_bytes(), body].concat()).await
}

async fn get(address: SocketAddr, path: &str, proof: Option<&[u8]>) -> (u16, String, Vec<u8>) {
    let proof = proof.map(|frame| format!("Authorization: Muster {}\r\n", STANDARD.encode(frame))).unwrap_or_default();
    let head = format!("GET /published/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{proof}\r\n");
    request(address, head.into_bytes()).await
}

fn fetch(path: &str) -> Body {
    Body::Fetch(Fetch { path: path.into() })
}

fn publish(fleet: &Fleet, path: &str, bytes: &[u8]) {
    let path = fleet.tree().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_in_and_its_signed_answer_comes_out() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let address = fleet.serve().await;
    let message = web.message(report());
    let (status, head, body) = post(address, "/agent/v1/messages", &web.frame(&message)).await;
    assert_eq!(status, 200, "{head}");
    assert_eq!(code(&fleet.body_of(&message, Reply::Taken(body))), Some(ReceiptCode::Accepted));

    let expired = Message { expires: Timestamp(1), ..web.message(report()) };
    let (status, _, body) = post(address, "/agent/v1/messages", &web.frame(&expired)).await;
    assert_eq!(status, 401);
    assert_eq!(code(&fleet.body_of(&expired, Reply::Taken(body))), Some(ReceiptCode::Expired));
    let (status, ..) = post(address, "/agent/v1/messages", b"nonsense").await;
    assert_eq!((status, fleet.taken().len()), (400, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_fetches_its_own_files_and_no_others() {
    let (fleet, web, db) = (Fleet::new(), Host::new("web-1"), Host::new("db-1"));
    fleet.enrol(&[&web, &db]).await;
    let address = fleet.serve().await;
    let manifest = format!("hosts/web-1/{}.json", "0a".repeat(32));
    let blob = format!("blobs/{}", "0b".repeat(32));
    let large: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    publish(&fleet, &manifest, b"{}");
    publish(&fleet, &blob, &large);
    publish(&fleet, "root.json", b"root");

    assert_eq!(get(address, "root.json", None).await.2, b"root", "the root is for everyone");
    let (status, head, body) = get(address, &manifest, Some(&web.sign(fetch(&manifest)))).await;
    assert_eq!((status, body.as_slice()), (200, &b"{}"[..]));
    assert!(head.contains("content-length: 2\r\n") && !head.contains("content-encoding"), "{head}");
    let (status, _, body) = get(address, &blob, Some(&db.sign(fetch(&blob)))).await;
    assert_eq!((status, body == large), (200, true));

    let stranger = Host::new("web-1");
    let old = Message { expires: Timestamp(1), ..web.message(fetch(&manifest)) };
    let as_web = Message { from: Party::Host(web.identity()), ..db.message(fetch(&manifest)) };
    for (why, expected, proof) in [
        ("no proof", 401, None),
        ("another host's proof", 403, Some(db.sign(fetch(&manifest)))),
        ("another host in web's name", 401, Some(db.frame(&as_web))),
        ("a proof of another path", 403, Some(web.sign(fetch(&blob)))),
        ("an unknown key", 401, Some(stranger.sign(fetch(&manifest)))),
        ("an old proof", 401, Some(web.frame(&old))),
        ("another message", 400, Some(web.sign(presence()))),
        ("garbage", 400, Some(b"garbage".to_vec())),
    ] {
        let (status, _, body) = get(address, &manifest, proof.as_deref()).await;
        assert_eq!(status, expected, "{why}");
        assert_ne!(body, b"{}", "{why}");
    }
    fleet.approve(&[&db]);
    assert_eq!(get(address, &manifest, Some(&web.sign(fetch(&manifest)))).await.0, 401, "no more approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_wakes_its_host_alone() {
    let (fleet, web, db) = (Fleet::new(), Host::new("web-1"), Host::new("db-1"));
    fleet.enrol(&[&web, &db]).await;
    let address = fleet.serve().await;
    let wait = |host: &Host, after| {
        let frame = host.sign(Body::HintRequest(HintRequest { after }));
        tokio::spawn(async move { post(address, "/agent/v1/hints", &frame).await })
    };
    let (web_waits, db_waits) = (wait(&web, 0), wait(&db, 0));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!web_waits.is_finished() && !db_waits.is_finished());
    let start = Instant::now();
    fleet.inbound.hints().notify_hosts([&web.id]);
    let (status, _, body) = web_waits.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let hint: muster_schema::message::Hint = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 200);
    assert!(!db_waits.is_finished());
    db_waits.abort();

    // A hint that came while nobody waited is not lost, and is told once.
    fleet.inbound.hints().notify_hosts([&web.id]);
    let (status, _, body) = wait(&web, hint.hint).await.unwrap();
    let next: muster_schema::message::Hint = serde_json::from_slice(&body).unwrap();
    assert!(status == 200 && next.hint > hint.hint);
    let again = wait(&web, next.hint);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!again.is_finished());
    again.abort();

    let stranger = Host::new("web-1");
    assert_eq!(wait(&stranger, 0).await.unwrap().0, 401);
    assert_eq!(post(address, "/agent/v1/hints", &web.sign(presence())).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_counted_and_a_flood_of_them_is_told_in_part() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let mut refusals = fleet.inbound.refusals();
    let before = fleet.inbound.refused();
    for _ in 0..50 {
        let _ = fleet.send(b"garbage").await;
    }
    let replay = web.sign(presence());
    let _ = fleet.send(&replay).await;
    let _ = fleet.send(&replay).await;
    assert_eq!(fleet.inbound.refused() - before, 51);
    let mut told = Vec::new();
    while let Ok(refused) = refusals.try_recv() {
        told.push((refused.code, refused.host));
    }
    let garbage = told.iter().filter(|(code, _)| *code == ReceiptCode::Malformed).count();
    assert!((5..8).contains(&garbage), "{garbage}");
    assert!(told.contains(&(ReceiptCode::Replayed, Some(web.id.clone()))), "the flood did not hide it: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_ends_when_it_is_told_to() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let router = agent_router(fleet.inbound.clone(), fleet.tree());
    let serving = tokio::spawn(serve_http(listener, router, HttpLimits::default(), None, async move {
        let _ = ended.await;
    }));
    let frame = web.sign(Body::HintRequest(HintRequest { after: 0 }));
    let waiting = tokio::spawn(async move { post(address, "/agent/v1/hints", &frame).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(end);
    tokio::time::timeout(Duration::from_secs(5), serving).await.expect("it ends in time").unwrap();
    assert_eq!(waiting.await.unwrap().0, 0, "who waits is cut off");
}
