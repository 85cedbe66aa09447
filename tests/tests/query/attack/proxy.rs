//! Stands between one agent and the orchestrator's HTTP.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster_tests::fleet::SOON;

const FRAME: &str = "application/vnd.muster.frame";
const PAUSE: Duration = Duration::from_millis(20);

/// What is to be handed out next, and whom to tell when it was.
type Waiting = Arc<Mutex<Option<(Vec<u8>, Sender<()>)>>>;

/// Passes everything on, keeps the live requests, and answers polls with others.
pub(super) struct Proxy {
    address: SocketAddr,
    seen: Receiver<Vec<u8>>,
    waiting: Waiting,
}

impl Proxy {
    /// Begins to pass on to `upstream`, an `http://` URL.
    pub(super) fn begin(upstream: String) -> Proxy {
        let upstream: SocketAddr = upstream.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (keep, seen) = channel();
        let waiting = Waiting::default();
        let shared = waiting.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (keep, waiting) = (keep.clone(), shared.clone());
                std::thread::spawn(move || while pass_on(&client, upstream, &keep, &waiting).is_some() {});
            }
        });
        Proxy { address, seen, waiting }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next live request that went through.
    pub(super) fn seen(&self) -> Vec<u8> {
        self.seen.recv_timeout(SOON).unwrap()
    }

    /// Answers the agent's poll with this.
    pub(super) fn publish(&self, frame: &[u8]) {
        let (done, is_done) = channel();
        *self.waiting.lock().unwrap() = Some((frame.to_vec(), done));
        is_done.recv_timeout(SOON).unwrap();
    }
}

/// One request and its answer. `None` when an end is gone.
fn pass_on(mut client: &TcpStream, upstream: SocketAddr, keep: &Sender<Vec<u8>>, waiting: &Waiting) -> Option<()> {
    let (head, body) = read_message(client)?;
    let mut server = TcpStream::connect(upstream).ok()?;
    server.write_all(&[head.as_bytes(), &body].concat()).ok()?;
    let is_poll = head.starts_with("POST /agent/v1/hints ");
    server.set_read_timeout(Some(PAUSE)).ok()?;
    loop {
        if let Some((frame, done)) = is_poll.then(|| waiting.lock().unwrap().take()).flatten() {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {FRAME}\r\nContent-Length: {}\r\n\r\n", frame.len());
            client.write_all(&[head.as_bytes(), &frame].concat()).ok()?;
            return done.send(()).ok();
        }
        match server.peek(&mut [0]) {
            Ok(0) => return None,
            Ok(_) => break,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return None,
        }
    }
    server.set_read_timeout(None).ok()?;
    let (head, body) = read_message(&server)?;
    if is_poll && head.contains(FRAME) {
        let _ = keep.send(body.clone());
    }
    client.write_all(&[head.as_bytes(), &body].concat()).ok()
}

/// Head and body of a message whose body has a length.
fn read_message(mut stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}
