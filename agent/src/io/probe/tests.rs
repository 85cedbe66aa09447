//! Probes of real listeners, programs and file systems.

use super::run_probe;
use crate::host::RealHost;
use muster_schema::resource::CheckSpec;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

fn probe_within(check: &Value, seconds: u64) -> Result<(), String> {
    let spec: CheckSpec = serde_json::from_value(check.clone()).unwrap();
    let begun = Instant::now();
    let answer = run_probe(&spec, Duration::from_secs(seconds), &RealHost::open(Path::new("/")).unwrap());
    let most = Duration::from_secs(seconds + 4);
    assert!(begun.elapsed() < most, "{check}: {:?} after {:?}", answer, begun.elapsed());
    answer
}

fn probe(check: &Value) -> Result<(), String> {
    probe_within(check, 10)
}

fn fails(check: &Value, why: &str) {
    let answer = probe_within(check, 1);
    assert!(answer.as_ref().is_err_and(|error| error.contains(why)), "{check}: {answer:?}");
}

/// Answers each connection with these bytes, and then leaves it open.
fn serve(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer);
            open.push(stream);
        }
    });
    address
}

#[test]
fn a_port_is_open_or_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let check = json!({"tcp": listener.local_addr().unwrap().to_string()});
    assert_eq!(probe(&check), Ok(()));
    drop(listener);
    fails(&check, "refused");
    fails(&json!({"tcp": "no-such-host.invalid:80"}), "no-such-host.invalid");
}

#[test]
fn an_answer_is_judged_by_status_and_text() {
    let well = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nstatus: fine");
    let http = |fields: Value| {
        let mut http = json!({"url": format!("http://{well}/health")});
        http.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({"http": http})
    };
    assert_eq!(probe(&http(json!({}))), Ok(()));
    assert_eq!(probe(&http(json!({"status": 200, "contains": "fine"}))), Ok(()));
    fails(&http(json!({"status": 204})), "the status is 200, and is to be 204");
    fails(&http(json!({"contains": "bad"})), "does not contain \"bad\"");

    let broken = serve(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    fails(&json!({"http": {"url": format!("http://{broken}/")}}), "the status is 503");
    // Redirects lead where nobody said that we go.
    let elsewhere = serve(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n");
    fails(&json!({"http": {"url": format!("http://{elsewhere}/")}}), "the status is 302");
    assert_eq!(probe(&json!({"http": {"url": format!("http://{elsewhere}/"), "status": 302}})), Ok(()));
}

#[test]
fn a_server_that_says_nothing_or_never_ends_takes_no_longer_than_its_time() {
    let silent = serve(b"");
    fails(&json!({"http": {"url": format!("http://{silent}/")}}), "time");
    let endless = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nfirst");
    let contains = |text: &str| json!({"http": {"url": format!("http://{endless}/"), "contains": text}});
    fails(&contains("second"), "breaks off");
    assert_eq!(probe_within(&contains("first"), 1), Ok(()));
}

#[test]
fn a_program_ends_well_or_badly_or_not_at_all() {
    assert_eq!(probe(&json!({"command": ["true"]})), Ok(()));
    fails(&json!({"command": ["sh", "-c", "echo the queue is full >&2; exit 3"]}), "code 3: the queue is full");
    fails(&json!({"command": ["/no/such/program"]}), "/no/such/program");
    fails(&json!({"command": ["sleep", "600"]}), "sleep");
    // It floods us for ever.
    fails(&json!({"command": ["yes"]}), "yes");
    // What it starts holds its output open, and does not hold us.
    assert_eq!(probe_within(&json!({"command": ["sh", "-c", "sleep 30 & exit 0"]}), 5), Ok(()));
}

#[test]
fn a_disk_has_room_or_not() {
    assert_eq!(probe(&json!({"disk": {"path": "/", "free_percent": 0}})), Ok(()));
    assert_eq!(probe(&json!({"disk": {"path": "/proc/self", "free_bytes": 0}})), Ok(()));
    fails(&json!({"disk": {"path": "/", "free_percent": 100}}), "% are free, of at least 100 %");
    fails(&json!({"disk": {"path": "/", "free_bytes": u64::MAX}}), "bytes are free");
    fails(&json!({"disk": {"path": "/no/such/path", "free_percent": 1}}), "/no/such/path");
}

#[test]
fn without_systemd_no_unit_is_active() {
    if !Path::new("/run/systemd/system").exists() {
        fails(&json!({"unit": "nginx"}), "systemd does not run");
    }
}
