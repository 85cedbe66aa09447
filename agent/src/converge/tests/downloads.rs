//! Downloads: the digest decides, and whatever a server does, nothing wrong is left on the disk.

use super::*;
use crate::host::fake::{FakeHost, Node, What};
use crate::test_crash::crash_at;
use crate::test_web::{Web, send};
use muster_schema::Sha256Digest;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

const TOOL: &[u8] = b"#!/bin/sh\necho tool\n";

fn digest(content: &[u8]) -> String {
    Sha256Digest::of(content).to_string()
}

fn tool(url: &str) -> Value {
    json!({"downloads/tool": {"path": "/opt/bin/tool", "url": url, "sha256": digest(TOOL), "mode": "0755"}})
}

fn names(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(sandbox.path(folder)) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Converges once, and gives state and message of the only resource. Nothing may be left beside it.
fn attempt(sandbox: &Sandbox, resources: &Value) -> (Option<ResourceState>, String) {
    let mut converger = sandbox.open(Vec::new());
    converger.set_resources(load(&converger.managed.blobs, resources)).unwrap();
    let converged = converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    let address = resources.as_object().unwrap().keys().next().unwrap().clone();
    let outcome = converged.outcomes.iter().rev().find(|outcome| outcome.address.to_string() == address).unwrap();
    (outcome.state, outcome.message.clone())
}

#[test]
fn is_fetched_when_it_differs_and_only_then() {
    let sandbox = Sandbox::new();
    let web = Web::of(TOOL);
    let wanted = tool(&web.url("/tool?token=secret"));
    sandbox.converge(&wanted);
    assert_eq!(sandbox.file("opt/bin/tool"), (String::from_utf8(TOOL.to_vec()).unwrap(), 0o755));
    assert_eq!(web.asked(), 1, "looking again fetches nothing");

    fs::set_permissions(sandbox.path("opt/bin/tool"), fs::Permissions::from_mode(0o600)).unwrap();
    sandbox.converge_for(&wanted, Cause::Corrective);
    assert_eq!((sandbox.file("opt/bin/tool").1, web.asked()), (0o755, 1), "a mode needs no server");

    sandbox.write("opt/bin/tool", "edited", 0o755);
    sandbox.converge_for(&wanted, Cause::Corrective);
    assert_eq!((sandbox.file("opt/bin/tool").0.as_bytes(), web.asked()), (TOOL, 2));

    sandbox.converge(&json!({}));
    assert!(!sandbox.path("opt").exists(), "drift is no original");
}

#[test]
fn what_was_found_comes_back_without_a_server() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("opt/bin")).unwrap();
    sandbox.write("opt/bin/tool", "found", 0o640);
    symlink("tool", sandbox.path("opt/bin/link")).unwrap();
    let web = Web::of(TOOL);
    let mut wanted = tool(&web.url("/"));
    wanted["downloads/link"] = json!({"path": "/opt/bin/link", "url": web.url("/"), "sha256": digest(TOOL)});
    sandbox.converge(&wanted);
    assert_eq!(fs::read(sandbox.path("opt/bin/tool")).unwrap(), TOOL);
    assert!(!fs::symlink_metadata(sandbox.path("opt/bin/link")).unwrap().is_symlink());
    drop(web);
    // A second version, which nobody serves, and then none at all.
    let newer =
        json!({"downloads/tool": {"path": "/opt/bin/tool", "url": "http://127.0.0.1:1/", "sha256": digest(b"2")}});
    attempt(&sandbox, &newer);
    sandbox.converge(&json!({}));
    assert_eq!(sandbox.file("opt/bin/tool"), ("found".to_owned(), 0o640));
    assert_eq!(fs::read_link(sandbox.path("opt/bin/link")).unwrap(), Path::new("tool"));
}

#[test]
fn another_path_is_another_thing_and_absent_removes() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/old", "mine", 0o644);
    let web = Web::of(TOOL);
    let at = |path: &str| json!({"downloads/tool": {"path": path, "url": web.url("/"), "sha256": digest(TOOL)}});
    sandbox.converge(&at("/etc/old"));
    sandbox.converge(&at("/etc/new"));
    assert_eq!(sandbox.file("etc/old").0, "mine");
    assert_eq!(fs::read(sandbox.path("etc/new")).unwrap(), TOOL);
    sandbox.converge(&json!({"downloads/tool": {"path": "/etc/old", "meta": {"state": "absent"}}}));
    assert_eq!(names(&sandbox, "etc").len(), 0);
    sandbox.converge(&json!({}));
    assert_eq!(sandbox.file("etc/old").0, "mine");
}

#[test]
fn an_audit_fetches_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let web = Web::of(TOOL);
    let mut wanted = tool(&web.url("/"));
    wanted["downloads/tool"]["meta"] = json!({"mode": "audit"});
    fs::create_dir_all(sandbox.path("opt/bin")).unwrap();
    sandbox.converge(&wanted);
    assert_eq!((names(&sandbox, "opt/bin").len(), web.asked()), (0, 0));
}

#[test]
fn whatever_a_server_does_nothing_is_left_and_the_next_run_recovers() {
    type Fault = (&'static str, fn(&str, &mut TcpStream), &'static str);
    let faults: [Fault; 8] = [
        ("a wrong digest", |_, stream| send(stream, b"something else"), "has the digest"),
        ("an endless body", endless, "more than 65536 bytes"),
        ("a length beyond the cap", |_, stream| head(stream, "200 OK", "Content-Length: 99999999"), "more than 65536"),
        ("a drip feed", drip, "did not come within 1 s"),
        ("silence", |_, _| std::thread::sleep(Duration::from_secs(2)), "did not come within 1 s"),
        ("a cut off body", cut_off, "cannot be read"),
        ("a redirect loop", |_, stream| head(stream, "302 Found", "Location: /again"), "redirects more than 5 times"),
        ("nothing there", |_, stream| head(stream, "404 Not Found", "Content-Length: 0"), "status 404"),
    ];
    for (fault, answer, said) in faults {
        let sandbox = Sandbox::new();
        fs::create_dir_all(sandbox.path("opt/bin")).unwrap();
        sandbox.write("opt/bin/tool", "found", 0o640);
        let web = Web::start(answer);
        let mut wanted = tool(&web.url("/tool?token=secret"));
        wanted["downloads/tool"]["max_bytes"] = json!(65536);
        wanted["downloads/tool"]["meta"] = json!({"timeout": 1});
        let began = Instant::now();
        let (state, message) = attempt(&sandbox, &wanted);
        assert!(began.elapsed() < Duration::from_secs(5), "{fault}: {:?}", began.elapsed());
        assert_eq!(state, Some(ResourceState::Error), "{fault}: {message}");
        assert!(message.contains(said) && !message.contains("secret"), "{fault}: {message}");
        assert_eq!(names(&sandbox, "opt/bin"), ["tool"], "{fault}");
        assert_eq!(sandbox.file("opt/bin/tool"), ("found".to_owned(), 0o640), "{fault}");
        drop(web);
        let web = Web::of(TOOL);
        wanted["downloads/tool"]["url"] = json!(web.url("/tool"));
        sandbox.converge(&wanted);
        assert_eq!(fs::read(sandbox.path("opt/bin/tool")).unwrap(), TOOL, "{fault}");
    }
}

#[test]
fn a_server_that_is_gone_is_an_error() {
    let sandbox = Sandbox::new();
    let gone = Web::of(TOOL).url("/tool");
    let (state, message) = attempt(&sandbox, &tool(&gone));
    assert_eq!(state, Some(ResourceState::Error));
    assert!(message.contains(&gone) && message.contains("cannot be read"), "{message}");
    assert_eq!(names(&sandbox, "opt/bin").len(), 0);
}

#[test]
fn a_redirect_is_followed() {
    let sandbox = Sandbox::new();
    let web = Web::start(|path, stream| match path {
        "/new" => send(stream, TOOL),
        _ => head(stream, "302 Found", "Location: /new"),
    });
    sandbox.converge(&tool(&web.url("/old")));
    assert_eq!(fs::read(sandbox.path("opt/bin/tool")).unwrap(), TOOL);
}

fn head(stream: &mut TcpStream, status: &str, header: &str) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\n{header}\r\nConnection: close\r\n\r\n");
}

fn endless(_: &str, stream: &mut TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while stream.write_all(&[b'x'; 4096]).is_ok() {}
}

fn drip(_: &str, stream: &mut TcpStream) {
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", TOOL.len() * 1000);
    while stream.write_all(b"x").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn cut_off(_: &str, stream: &mut TcpStream) {
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", TOOL.len());
    let _ = stream.write_all(&TOOL[..5]);
}

/// Converges a host in memory, as a process does that was started under the manifest `before`.
fn converge_fake(dir: &Path, host: &FakeHost, before: &Value, wanted: &Value) {
    let managed = super::properties::open(dir, host);
    let (before, resources) = (load(&managed.blobs, before), load(&managed.blobs, wanted));
    let mut converger = Converger::begin(managed, before, Enforcement::Enforce, now()).unwrap();
    converger.set_resources(resources).unwrap();
    converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
}

#[test]
fn wherever_the_process_ends_the_next_one_finishes_and_goes_back() {
    let tree: BTreeMap<String, Node> = [
        ("/".to_owned(), Node::new(What::Directory, 0o755)),
        ("/opt".to_owned(), Node::new(What::Directory, 0o755)),
        ("/opt/a".to_owned(), Node::new(What::File(b"found".to_vec()), 0o600)),
        ("/opt/b".to_owned(), Node::new(What::Link("a".to_owned()), 0o777)),
    ]
    .into();
    let at = |path: &str| json!({"path": path, "url": "http://elsewhere/tool", "sha256": digest(TOOL), "mode": "0755"});
    let first = json!({"files/opt/c": {"text": "a file first"}});
    let second = json!({"downloads/a": at("/opt/a"), "downloads/b": at("/opt/b"), "downloads/c": at("/opt/c")});
    for crash in 0.. {
        let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(tree.clone()));
        host.serve("http://elsewhere/tool", TOOL);
        converge_fake(dir.path(), &host, &json!({}), &first);
        let crashed = crash_at(crash, || converge_fake(dir.path(), &host, &first, &second)).is_none();
        converge_fake(dir.path(), &host, &second, &second);
        let made = host.tree();
        for path in ["/opt/a", "/opt/b", "/opt/c"] {
            assert_eq!((&made[path].what, made[path].mode), (&What::File(TOOL.to_vec()), 0o755), "crash at {crash}");
        }
        assert_eq!(made.len(), 5, "crash at {crash}: {:?}", made.keys());
        converge_fake(dir.path(), &host, &second, &json!({}));
        assert_eq!(host.tree(), tree, "crash at {crash}");
        if !crashed {
            assert!(crash > 10, "only {crash} points");
            break;
        }
    }
}
