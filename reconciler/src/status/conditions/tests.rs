#![allow(clippy::unwrap_used)]
use std::time::Duration;

use muster_schema::report::{Applied, Report};
use muster_schema::{FleetName, Sha256Digest};

use super::*;
use crate::status::{CONTACT_LOST, CONTACT_STALE, Desired, fold_report};

const START: Timestamp = Timestamp(1_780_000_000_000);

fn fleet() -> FleetStatus {
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().unwrap();
    let host = muster_schema::manifest::HostIdentity { id: "web-1".parse().unwrap(), key };
    let desired = Desired {
        host: host.clone(),
        manifest: Sha256Digest::of(b"manifest"),
        content: Sha256Digest::of(b"content"),
        epoch: 1,
        serial: 1,
        changed_at: "1".repeat(40).parse().unwrap(),
        resources: 1,
    };
    let mut fleet = FleetStatus::new("shop".parse::<FleetName>().unwrap());
    let status = HostStatus { key: Some(key), desired: Some(desired), ..HostStatus::default() };
    fleet.hosts.insert(host.id, status);
    fleet
}

fn report(content: &[u8]) -> Report {
    Report {
        applied: Some(Applied {
            manifest: Sha256Digest::of(b"manifest"),
            content: Sha256Digest::of(content),
            epoch: 1,
            serial: 1,
            revision: "1".repeat(40).parse().unwrap(),
        }),
        health: Health::Healthy,
        reason: String::new(),
        message: String::new(),
        counts: [].into(),
        deviations: Vec::new(),
        exceptions: Vec::new(),
        transitions: Vec::new(),
        rejections: Vec::new(),
        retired: false,
        break_glass: None,
    }
}

fn states(fleet: &FleetStatus) -> Vec<(ConditionStatus, &str, Timestamp)> {
    let host = fleet.hosts.values().next().unwrap();
    host.conditions.iter().map(|c| (c.status, c.reason.as_str(), c.last_transition)).collect()
}

#[test]
fn conditions_change_with_what_they_state_and_not_with_time() {
    use ConditionStatus::{False, True, Unknown};
    let mut fleet = fleet();
    assert_eq!(fold_conditions(&mut fleet, START).len(), 1);
    assert_eq!(
        states(&fleet),
        [(Unknown, "Unknown", START), (Unknown, "NeverSeen", START), (Unknown, "NeverSeen", START)]
    );

    let host = fleet.hosts.values_mut().next().unwrap();
    let heard = START.plus(Duration::from_secs(60));
    let _ = fold_report(host, 1, report(b"content"), heard);
    assert_eq!(fold_conditions(&mut fleet, heard).len(), 1);
    let well = [(True, "Synced", heard), (True, "Healthy", heard), (True, "Live", heard)];
    assert_eq!(states(&fleet), well);

    // Staleness comes and goes without a commit; a lost host is stated.
    let stale = heard.plus(CONTACT_STALE + Duration::from_secs(1));
    assert!(fold_conditions(&mut fleet, stale).is_empty());
    assert_eq!(states(&fleet), well);
    let lost = heard.plus(CONTACT_LOST + Duration::from_secs(1));
    assert_eq!(fold_conditions(&mut fleet, lost).len(), 1);
    assert_eq!(states(&fleet), [(True, "Synced", heard), (Unknown, "ContactLost", lost), (False, "Lost", lost)]);
    assert!(fold_conditions(&mut fleet, lost.plus(Duration::from_secs(999))).is_empty());
}

#[test]
fn another_reason_keeps_the_time_of_the_transition() {
    let mut fleet = fleet();
    let host = fleet.hosts.values_mut().next().unwrap();
    let _ = fold_report(host, 1, report(b"older content"), START);
    fold_conditions(&mut fleet, START);
    assert_eq!(states(&fleet)[1], (ConditionStatus::False, "Applying", START));
    let later = START.plus(Duration::from_secs(1));
    let broken = Report { health: Health::Degraded, reason: "ApplyFailed".into(), ..report(b"older content") };
    let host = fleet.hosts.values_mut().next().unwrap();
    let _ = fold_report(host, 2, broken, later);
    assert_eq!(fold_conditions(&mut fleet, later).len(), 1);
    assert_eq!(states(&fleet)[1], (ConditionStatus::False, "ApplyFailed", START));
}
