//! What answers is not the orchestrator: endless, slow, compressed, redirecting.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use muster_agent::io::http::HttpTransport;
use muster_agent::io::transport::{Fetched, Transport, TransportError};

/// Answers every connection with `answer`, then with `rest` again and again.
fn serve(answer: &'static [u8], rest: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
            while !rest.is_empty() && stream.write_all(rest).is_ok() {}
        }
    });
    address
}

async fn fetch(address: SocketAddr, cap: usize) -> Result<Fetched, TransportError> {
    HttpTransport::new(&format!("http://{address}")).unwrap().fetch("root.json", None, cap).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_right_size_is_fetched() {
    let address = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nroot", b"");
    assert_eq!(fetch(address, 4).await.unwrap(), Fetched::File(b"root".to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_endless_data_is_cut_off_at_the_cap_http() {
    let start = Instant::now();
    let endless = serve(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &[b'a'; 4096]);
    let announced = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", &[b'a'; 4096]);
    for address in [endless, announced] {
        let error = fetch(address, 1 << 20).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { .. }), "{error:?}");
    }
    let head = serve(b"HTTP/1.1 200 OK\r\nX-Endless: ", &[b'a'; 4096]);
    assert!(fetch(head, 100).await.is_err());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_a_file_that_ends_early_is_no_file_http() {
    let address = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nroot", b"");
    assert!(fetch(address, 100).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_compressed_and_redirected_answers_are_refused_http() {
    let packed = serve(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nroot", b"");
    assert!(matches!(fetch(packed, 100).await, Err(TransportError::Form { .. })));
    let elsewhere = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nroot", b"");
    let text = format!("HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n");
    let moved = serve(text.leak().as_bytes(), b"");
    let refused = fetch(moved, 100).await;
    assert!(matches!(refused, Err(TransportError::Status { status: 302, .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_are_none_are_refused() {
    for url in ["", "muster", "ftp://muster", "http://", "http://u:p@muster", "http://muster?x=1", "http://muster#x"] {
        assert!(HttpTransport::new(url).is_err(), "{url}");
    }
    assert!(HttpTransport::new("https://muster.example:8443/").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a26_a_drip_feed_holds_no_agent_for_ever_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let start = Instant::now();
    assert!(fetch(address, 1000).await.is_err(), "it would have taken 100 s");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
