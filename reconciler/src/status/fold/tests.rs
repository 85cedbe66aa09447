#![allow(clippy::unwrap_used)]
use muster_schema::report::Transition;
use muster_schema::state::{Cause, Contact, Health, ResourceState, Sync};

use super::*;

fn report(transitions: std::ops::Range<u64>) -> Report {
    let transition = |seq| Transition {
        seq,
        address: "files/etc/motd".parse().unwrap(),
        from: Some(ResourceState::Compliant),
        to: Some(ResourceState::Repaired),
        cause: Cause::Corrective,
        message: "content".into(),
        at: Timestamp(seq),
        by: None,
    };
    Report {
        applied: None,
        health: Health::Healthy,
        reason: "Converged".into(),
        message: String::new(),
        counts: [(ResourceState::Compliant, 1)].into(),
        deviations: Vec::new(),
        exceptions: Vec::new(),
        transitions: transitions.map(transition).collect(),
        rejections: Vec::new(),
        retired: false,
        break_glass: None,
    }
}

#[test]
fn every_transition_is_folded_once() {
    let mut host = HostStatus::default();
    assert_eq!(fold_report(&mut host, 10, report(1..4), Timestamp(1)), Folded::Changed);
    assert_eq!(fold_report(&mut host, 10, report(1..4), Timestamp(2)), Folded::Duplicate);
    assert_eq!(fold_report(&mut host, 11, report(2..6), Timestamp(3)), Folded::Changed);
    let seqs: Vec<u64> = host.transitions.iter().map(|transition| transition.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    assert_eq!(fold_report(&mut host, 12, report(0..0), Timestamp(4)), Folded::Unchanged);
    assert_eq!(host.last_contact, Some(Timestamp(4)));
}

#[test]
fn the_oldest_transitions_go() {
    let mut host = HostStatus::default();
    let _ = fold_report(&mut host, 1, report(1..200), Timestamp(1));
    assert_eq!(host.transitions.len(), MAX_TRANSITIONS);
    assert_eq!(host.transitions.front().map(|transition| transition.seq), Some(150));
}

#[test]
fn a_silent_host_is_not_green() {
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().unwrap();
    let mut host = HostStatus { key: Some(key), ..HostStatus::default() };
    assert_eq!(host.axes(Timestamp(0)).contact, Contact::NeverSeen);
    let _ = fold_report(&mut host, 1, report(1..2), Timestamp(0));
    let after = |minutes: u64| host.axes(Timestamp(minutes * 60_000));
    assert_eq!((after(1).contact, after(1).health), (Contact::Live, Health::Healthy));
    assert_eq!((after(3).contact, after(3).health), (Contact::Stale, Health::Unknown));
    assert_eq!((after(16).contact, after(16).health), (Contact::Lost, Health::Unknown));
    assert_eq!(after(1).sync, Sync::Unknown, "nothing is published for it");
}
