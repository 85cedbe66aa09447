#![allow(clippy::unwrap_used)]
use muster_schema::HostId;
use muster_schema::state::{Health, Sync};

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
