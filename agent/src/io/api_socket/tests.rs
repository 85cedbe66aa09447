use super::*;
use crate::rest::tests::TestRest;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;

/// One request by a plain socket: status, headers, body.
async fn ask(path: PathBuf, head: &'static str) -> (u16, String, Value) {
    let asked = move || {
        let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
        write!(stream, "{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), serde_json::from_str(body).unwrap())
    };
    tokio::task::spawn_blocking(asked).await.unwrap()
}

#[tokio::test]
async fn the_socket_answers_http() {
    let agent = TestRest::begin(|_| json!({"directories/etc/app": {}}));
    let path = agent.dir.path().join("run/api.sock");
    let listener = bind_socket(&path).unwrap();
    tokio::spawn(serve_socket(listener, agent.rest.clone()));
    let (status, head, view) = ask(path.clone(), "GET /v1/directories/etc/app").await;
    assert_eq!((status, &view["managed"]), (200, &json!(true)));
    assert!(head.contains("content-type: application/json"), "{head}");
    let (status, head, problem) = ask(path.clone(), "DELETE /v1/directories/etc/app").await;
    assert_eq!((status, &problem["reason"]), (405, &json!("WrongMethod")));
    assert!(head.contains("application/problem+json") && head.contains("allow: get, post"), "{head}");
    let (status, _, problem) = ask(path, "GET /v1/nothing").await;
    assert_eq!((status, &problem["reason"]), (404, &json!("UnknownCollection")));
    assert!(problem["hint"].as_str().unwrap().contains("packages"));
}

#[tokio::test]
async fn the_socket_is_for_its_owner_and_takes_the_place_of_an_old_one_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/api.sock");
    drop(bind_socket(&path).unwrap());
    let _listener = bind_socket(&path).unwrap();
    let found = std::fs::symlink_metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.mode() & 0o7777, 0o600);
    let folder_mode = std::fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777;
    assert_eq!(folder_mode & 0o022, 0, "{folder_mode:o}");

    let file = folder.path().join("precious");
    std::fs::write(&file, "mine").unwrap();
    assert!(bind_socket(&file).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
