//! What a commit promises, on a real folder.

#![allow(clippy::unwrap_used)]

mod attack;

use super::*;
use serde_json::{Value, json};

fn batch(key: &str, value: &Value) -> Batch {
    let mut batch = Batch::new();
    batch.put(key, value).unwrap();
    batch
}

#[test]
fn records_survive_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, opened) = Store::open(&path).unwrap();
    assert_eq!(opened, Opened::New);
    store.commit(batch("mark/head", &json!({"serial": 7}))).unwrap();
    drop(store);

    let (store, opened) = Store::open(&path).unwrap();
    assert_eq!(opened, Opened::Existing);
    assert_eq!(store.load::<Value>("mark/head").unwrap(), Some(json!({"serial": 7})));
    assert_eq!(store.load::<Value>("mark/root").unwrap(), None);
}

#[test]
fn long_values_are_cut_and_joined_and_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&dir.path().join("store")).unwrap();
    let long = json!("x".repeat(1 << 20));
    store.commit(batch("outbox/1", &long)).unwrap();
    store.commit(batch("outbox/2", &json!("short"))).unwrap();
    assert_eq!(store.load::<Value>("outbox/1").unwrap(), Some(long.clone()));
    assert_eq!(
        store.scan::<Value>("outbox/").unwrap(),
        [("outbox/1".to_owned(), long), ("outbox/2".to_owned(), json!("short"))]
    );

    store.commit(batch("outbox/1", &json!("now short"))).unwrap();
    assert_eq!(store.db.len(), 3, "the version and two records, no pieces");
    assert!(
        std::fs::read_dir(dir.path().join("store/blobs")).unwrap().next().is_none(),
        "sled kept something outside its log, which nobody syncs"
    );
}

#[test]
fn one_batch_is_all_or_nothing_and_the_last_write_of_a_key_wins() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&dir.path().join("store")).unwrap();
    let mut writes = Batch::new();
    writes.put("a", &json!("x".repeat(100_000))).unwrap();
    writes.put("a", &1).unwrap();
    writes.put("b", &2).unwrap();
    writes.remove("b");
    store.commit(writes).unwrap();
    assert_eq!(store.load::<u32>("a").unwrap(), Some(1));
    assert_eq!(store.load::<u32>("b").unwrap(), None);
    assert_eq!(store.db.len(), 2);
}

#[test]
fn a_damaged_store_is_moved_aside_and_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = Store::open(&path).unwrap();
    store.commit(batch("mark/head", &json!(1))).unwrap();
    drop(store);
    std::fs::write(path.join("conf"), b"not sled's").unwrap();

    let (store, opened) = Store::open(&path).unwrap();
    let Opened::Quarantined(aside) = opened else { panic!("{opened:?}") };
    assert_eq!(std::fs::read(aside.join("conf")).unwrap(), b"not sled's");
    assert_eq!(store.load::<Value>("mark/head").unwrap(), None);
    store.commit(batch("mark/head", &json!(2))).unwrap();
}

#[test]
fn a_store_of_a_later_release_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = Store::open(&path).unwrap();
    store.commit(batch(VERSION_KEY, &json!(STORE_VERSION + 1))).unwrap();
    drop(store);
    assert!(matches!(Store::open(&path).unwrap().1, Opened::Quarantined(_)));
}

#[test]
fn a_store_in_use_is_never_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = Store::open(&path).unwrap();
    store.commit(batch("mark/head", &json!(1))).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::InUse(_))));
    store.commit(batch("mark/head", &json!(2))).unwrap();
    drop(store);
    assert_eq!(Store::open(&path).unwrap().0.load::<Value>("mark/head").unwrap(), Some(json!(2)));
}

#[test]
fn a_store_opens_again_right_after_it_was_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    // sled's threads may hold the file a little longer than the store: several rounds, to meet that.
    for round in 0..20_u32 {
        let (store, opened) = Store::open(&path).unwrap();
        assert_eq!(opened, if round == 0 { Opened::New } else { Opened::Existing });
        for step in 0..20 {
            let mut writes = Batch::new();
            for key in 0..500 {
                writes.put(format!("state/files/etc/{key:04}"), &json!({"since": round * 100 + step})).unwrap();
            }
            store.commit(writes).unwrap();
        }
    }
}

#[test]
fn the_file_stays_bounded_over_a_million_overwrites() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let (store, _) = Store::open(&path).unwrap();
    for round in 0..2_000_u32 {
        let mut writes = Batch::new();
        for key in 0..500 {
            writes.put(format!("state/files/etc/{key:04}"), &json!({"state": "compliant", "since": round})).unwrap();
        }
        store.commit(writes).unwrap();
    }
    let size = std::fs::metadata(path.join("db")).unwrap().len();
    assert!(size < 64 << 20, "{} MiB for 500 records", size >> 20);
    drop(store);
    let (store, _) = Store::open(&path).unwrap();
    assert_eq!(store.load::<Value>("state/files/etc/0499").unwrap().unwrap()["since"], 1999);
}
