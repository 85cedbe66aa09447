//! The broker of the tests is the tests' own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use lapin::options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use muster_tests::broker::Broker;
use muster_tests::need;
use muster_tests::wait::wait_until;

/// The Erlang port helpers end by themselves once the server is gone.
const END: Duration = Duration::from_secs(5);

/// Processes whose environment names `folder`: the server, what it started, its epmd.
fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if String::from_utf8_lossy(&environment).contains(&needle) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

async fn publish_one(url: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare("kept".into(), durable, FieldTable::default()).await.unwrap();
    let persistent = BasicProperties::default().with_delivery_mode(2);
    channel
        .basic_publish("".into(), "kept".into(), BasicPublishOptions::default(), b"hello", persistent)
        .await
        .unwrap();
    connection.close(0, "done".into()).await.unwrap();
}

async fn fetch_one(url: &str) -> Option<Vec<u8>> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let got = channel.basic_get("kept".into(), BasicGetOptions::default()).await.unwrap();
    got.map(|message| message.delivery.data)
}

#[tokio::test]
async fn broker_two_run_at_once_and_share_nothing() {
    if !need::has(need::BROKER) {
        return;
    }
    let first = Broker::start().unwrap();
    let second = Broker::start().unwrap();
    assert_ne!(first.socket(), second.socket());
    publish_one(&first.url()).await;
    let listed = second.control(&["list_queues", "-p", "muster", "name"]).unwrap();
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("kept"));
    let listed = first.control(&["list_queues", "-p", "muster", "name"]).unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("kept"));
}

#[tokio::test]
async fn broker_keeps_its_data_over_a_restart_and_leaves_nothing_behind() {
    if !need::has(need::BROKER) {
        return;
    }
    let mut broker = Broker::start().unwrap();
    publish_one(&broker.url()).await;
    broker.stop().unwrap();
    assert!(TcpStream::connect(broker.socket()).is_err());
    wait_until("its processes to end", END, || processes_of(broker.folder()).is_empty()).unwrap();
    broker.resume().unwrap();
    assert_eq!(fetch_one(&broker.url()).await.as_deref(), Some(b"hello".as_slice()));

    assert!(!processes_of(broker.folder()).is_empty());
    let folder = broker.folder().to_owned();
    drop(broker);
    wait_until("its processes to end", END, || processes_of(&folder).is_empty()).unwrap();
    assert!(!folder.exists());
}
