//! What the store promises when the process is killed or the power fails: every acknowledged commit is there, and the
//! store opens.

#![allow(clippy::disallowed_methods)]

use super::*;
use crate::test_disk::Disk;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const KEYS: u64 = 200;
const CHILD_STORE: &str = "MUSTER_TEST_CHILD_STORE";

/// Record `number` under its key, with a neighbour in the same batch.
fn commit(store: &Store, number: u64) {
    let mut batch = Batch::new();
    batch.put(format!("record/{:03}", number % KEYS), &number).unwrap();
    batch.put("newest", &(number, "x".repeat((number % 5000) as usize))).unwrap();
    store.commit(batch).unwrap();
}

/// Every acknowledged record is there, or a later one of its key.
fn check(folder: &Path, acknowledged: u64) {
    let (store, opened) = Store::open(folder).unwrap();
    assert!(acknowledged == 0 || opened == Opened::Existing, "{opened:?} after {acknowledged} commits");
    let newest: (u64, String) = store.load("newest").unwrap().unwrap_or_default();
    assert!(newest.0 >= acknowledged, "{} is the newest, {acknowledged} was acknowledged", newest.0);
    for number in acknowledged.saturating_sub(KEYS - 1).max(1)..=acknowledged {
        let found: u64 = store.load(&format!("record/{:03}", number % KEYS)).unwrap().unwrap_or(0);
        assert!(found >= number, "record {number} was acknowledged, {found} is there");
    }
}

/// Not a test of its own: what the other one starts and kills.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD_STORE) else { return };
    let (store, _) = Store::open(Path::new(&folder)).unwrap();
    let from: (u64, String) = store.load("newest").unwrap().unwrap_or_default();
    for number in from.0 + 1.. {
        commit(&store, number);
        println!("acknowledged {number}");
    }
}

#[test]
fn a19_a_killed_process_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("store");
    let mut total = 0;
    for round in 0..20_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::attack::child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD_STORE, &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = total;
        let wanted = total + 20 + round * 7;
        for line in lines {
            let Some(number) = line.unwrap().rsplit_once("acknowledged ").and_then(|(_, n)| n.parse().ok()) else {
                continue;
            };
            acknowledged = number;
            if acknowledged >= wanted {
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        assert!(acknowledged >= wanted, "the child ended by itself");
        check(&folder, acknowledged);
        let (store, _) = Store::open(&folder).unwrap();
        total = store.load::<(u64, String)>("newest").unwrap().unwrap().0;
    }
}

#[test]
fn a19_a_power_cut_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::new(dir.path()) else {
        eprintln!("SKIPPED: power cuts need root, loop devices, ext4 and XFS");
        return;
    };
    let folder = disk.path().join("agent/store");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    let (store, _) = Store::open(&folder).unwrap();
    let (acknowledged, end) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = {
        let (acknowledged, end) = (acknowledged.clone(), end.clone());
        std::thread::spawn(move || {
            let mut number = 0;
            while !end.load(Ordering::Acquire) {
                number += 1;
                commit(&store, number);
                acknowledged.store(number, Ordering::Release);
            }
        })
    };
    for cut in 0..25_u64 {
        std::thread::sleep(Duration::from_millis(15 + cut * 13 % 60));
        let survived = acknowledged.load(Ordering::Acquire);
        check(&disk.cut().path().join("agent/store"), survived);
    }
    end.store(true, Ordering::Release);
    writer.join().unwrap();
    assert!(acknowledged.load(Ordering::Acquire) > 100, "too few commits to mean anything");
}
