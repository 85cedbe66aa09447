//! A web server on loopback that answers as a test says.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

type Answer = dyn Fn(&str, &mut TcpStream) + Send + Sync;

pub(crate) struct Web {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    /// Answers each request, given its path, in a thread of its own.
    pub(crate) fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let open = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Answer> = Arc::new(answer);
        let thread = {
            let (asked, ends, open) = (asked.clone(), ends.clone(), open.clone());
            std::thread::spawn(move || {
                let mut threads = Vec::new();
                for stream in listener.incoming() {
                    if ends.load(Ordering::SeqCst) {
                        break;
                    }
                    let mut stream = stream.unwrap();
                    open.lock().unwrap().push(stream.try_clone().unwrap());
                    let (asked, answer) = (asked.clone(), answer.clone());
                    threads.push(std::thread::spawn(move || {
                        let Some(path) = read_request(&stream) else { return };
                        asked.fetch_add(1, Ordering::SeqCst);
                        answer(&path, &mut stream);
                        let _ = stream.shutdown(Shutdown::Both);
                    }));
                }
                threads.into_iter().for_each(|thread| thread.join().unwrap());
            })
        };
        Web { address, asked, ends, open, thread: Some(thread) }
    }

    /// Serves the same bytes under every path.
    pub(crate) fn of(content: &[u8]) -> Web {
        let content = content.to_vec();
        Web::start(move |_, stream| send(stream, &content))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A whole answer.
pub(crate) fn send(stream: &mut TcpStream, content: &[u8]) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(content));
}

fn read_request(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    while lines.next()?.ok().is_some_and(|line| !line.is_empty()) {}
    Some(first.split(' ').nth(1)?.to_owned())
}
