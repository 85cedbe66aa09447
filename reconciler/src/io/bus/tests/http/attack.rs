//! Clients that would keep the door from others.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a37_nothing_outside_the_tree_is_served_http() {
    let (fleet, web) = (Fleet::new(), Host::new("web-1"));
    fleet.enrol(&[&web]).await;
    let address = fleet.serve().await;
    publish(&fleet, "root.json", b"root");
    for path in
        ["../fresh.key", "..%2ffresh.key", "hosts/web-1/../../../fresh.key", "%2e%2e/fresh.key", "/etc/passwd", ""]
    {
        let (status, _, body) = get(address, path, Some(&web.sign(fetch(path)))).await;
        assert!(status == 404 && body.is_empty(), "{path}: {status} {body:?}");
    }
    let missing = format!("blobs/{}", "0c".repeat(32));
    assert_eq!(get(address, &missing, Some(&web.sign(fetch(&missing)))).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_a_body_that_is_too_large_or_compressed_is_not_read_http() {
    let fleet = Fleet::new();
    let address = fleet.serve().await;
    let head = "POST /agent/v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let announced = format!("{head}Content-Length: 999999999999\r\n\r\n");
    assert_eq!(request(address, announced.into_bytes()).await.0, 413);
    let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..40 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&[b'a'; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    let (status, ..) = request(address, chunked).await;
    assert!(status == 413 || status == 0, "{status}: refused, or cut off while it was sent");
    let packed = format!("{head}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx");
    assert_eq!(request(address, packed.into_bytes()).await.0, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_a_drip_feed_is_cut_off_http() {
    let fleet = Fleet::new();
    let address = fleet.serve().await;
    let drip = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let start = Instant::now();
        let mut head = b"GET /published/root.json HTTP/1.1\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'a'));
        loop {
            let sent = stream.write_all(&[*head.next().unwrap()]);
            let ended = sent.is_err() || matches!(stream.read(&mut [0; 512]), Ok(0));
            if ended {
                return start.elapsed();
            }
            assert!(start.elapsed() < Duration::from_secs(10), "the drip feed goes on");
        }
    });
    // The limit of the test's server is one second.
    assert!(drip.await.unwrap() >= Duration::from_millis(900));
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_more_connections_than_allowed_are_closed_and_the_others_live_http() {
    let fleet = Fleet::new();
    publish(&fleet, "root.json", b"root");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = HttpLimits { connections: 2, head: Duration::from_secs(1), ..HttpLimits::default() };
    let router = agent_router(fleet.inbound.clone(), fleet.tree());
    tokio::spawn(serve_http(listener, router, limits, None, std::future::pending()));
    let idle: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(get(address, "root.json", None).await.0, 0, "closed without an answer");
    drop(idle);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(get(address, "root.json", None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_who_asks_and_never_reads_is_cut_off_http() {
    let fleet = Fleet::new();
    publish(&fleet, "root.json", &vec![b'x'; 64 << 20]);
    publish(&fleet, "1.root.json", b"small");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = HttpLimits { connections: 1, unread: Duration::from_secs(1), ..HttpLimits::default() };
    let router = agent_router(fleet.inbound.clone(), fleet.tree());
    tokio::spawn(serve_http(listener, router, limits, None, std::future::pending()));
    let mut silent = TcpStream::connect(address).unwrap();
    silent.write_all(b"GET /published/root.json HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(get(address, "1.root.json", None).await.0, 0, "the one place is taken");
    let start = Instant::now();
    while get(address, "1.root.json", None).await.0 != 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "it holds its place for ever");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(silent);
}
