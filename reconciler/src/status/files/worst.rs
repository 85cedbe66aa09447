//! The hosts that most need someone.

use std::collections::BTreeMap;

use muster_schema::HostId;
use muster_schema::state::{Contact, Health, Sync};
use serde::{Deserialize, Serialize};

use crate::status::inert_text::inert_line;
use crate::status::{Axes, FleetStatus};

/// The most hosts that README.md and fleet.yaml list.
pub(super) const MAX_WORST: usize = 50;
/// The longest message in a list, in characters.
const MAX_MESSAGE: usize = 160;
/// A wanted check fails on a host that is well.
const CHECK_WARNING: &str = "CheckWarning";

/// One line of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorstHost {
    pub(super) host: HostId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) environment: Option<String>,
    pub(super) sync: Sync,
    pub(super) health: Health,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) contact: Contact,
}

/// The worst hosts, worst first; hosts with which all is well are not listed.
pub(super) fn choose_worst(fleet: &FleetStatus, axes: &BTreeMap<&HostId, Axes>) -> Vec<WorstHost> {
    let mut ranked: Vec<_> = axes.iter().filter_map(|(id, axes)| Some((badness(axes)?, *id, axes))).collect();
    ranked.sort_by_key(|(badness, id, _)| (*badness, *id));
    ranked
        .into_iter()
        .take(MAX_WORST)
        .map(|(_, id, axes)| WorstHost {
            host: id.clone(),
            environment: fleet.hosts.get(id).and_then(|host| host.environment.clone()),
            sync: axes.sync,
            health: axes.health,
            reason: inert_line(&axes.reason, MAX_MESSAGE),
            message: inert_line(&axes.message, MAX_MESSAGE),
            contact: axes.contact,
        })
        .collect()
}

/// The smaller, the worse; nothing for a host with which all is well.
fn badness(axes: &Axes) -> Option<u8> {
    Some(match (axes.health, axes.contact, axes.sync) {
        (Health::Degraded, ..) => 0,
        (_, Contact::Lost, _) => 1,
        (Health::Healthy, _, Sync::Synced) if axes.reason == CHECK_WARNING => 7,
        (Health::Healthy, _, Sync::Synced) => return None,
        (Health::Healthy, ..) => 2,
        (Health::Progressing, ..) => 3,
        (Health::Unknown, ..) => 4,
        (Health::Pending, ..) => 5,
        (Health::Suspended, ..) => 6,
    })
}
