#![allow(clippy::unwrap_used)]
use muster_schema::HostId;
use muster_schema::report::ResourceReport;
use muster_schema::state::{Health, ResourceState, Sync};

use crate::status::test_fleet::{NOW, commit, fleet_of, host_signer};

#[test]
fn a_host_is_not_in_sync_with_what_is_still_being_published() {
    let mut fleet = fleet_of(1, &host_signer());
    let id: HostId = "host-0".parse().unwrap();
    let host = fleet.hosts.get_mut(&id).unwrap();
    assert_eq!(host.axes(NOW).sync, Sync::Synced);
    assert_eq!(host.axes(NOW).health, Health::Healthy);

    host.assigned = Some(commit('b'));
    host.publishing = true;
    assert_eq!(host.axes(NOW).sync, Sync::OutOfSync);
    assert_eq!(host.axes(NOW).health, Health::Progressing);

    // It came to the same content.
    host.publishing = false;
    assert_eq!(host.axes(NOW).sync, Sync::Synced);
}

#[test]
fn a_failing_check_is_health_and_not_sync() {
    let mut fleet = fleet_of(1, &host_signer());
    let host = fleet.hosts.get_mut(&"host-0".parse::<HostId>().unwrap()).unwrap();
    let deviation = |address: &str| ResourceReport {
        address: address.parse().unwrap(),
        state: ResourceState::NonCompliant,
        message: "refused".to_owned(),
    };
    host.deviations = vec![deviation("checks/site")];
    host.reported = Some((Health::Degraded, "CheckFailed".to_owned(), "checks/site: refused".to_owned()));
    let axes = host.axes(NOW);
    assert_eq!((axes.sync, axes.health, axes.reason.as_str()), (Sync::Synced, Health::Degraded, "CheckFailed"));
    host.reported = Some((Health::Healthy, "CheckWarning".to_owned(), "checks/site: refused".to_owned()));
    let axes = host.axes(NOW);
    assert_eq!((axes.sync, axes.health, axes.reason.as_str()), (Sync::Synced, Health::Healthy, "CheckWarning"));
    host.deviations.push(deviation("files/etc/motd"));
    assert_eq!(host.axes(NOW).sync, Sync::OutOfSync);
}
