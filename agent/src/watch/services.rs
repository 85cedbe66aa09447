//! Drift of services as an event: what systemd tells of their units.

use crate::provider::systemd::{SystemdError, UnitName, watch_units};
use muster_schema::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::watch::Receiver;

#[cfg(test)]
mod tests;

const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Units, and whom each concerns.
pub type WatchedUnits = BTreeMap<UnitName, BTreeSet<Address>>;

/// Tells `tell` whom the change of a unit concerns, as long as the other end of `units` is there. While no unit is
/// to be watched, systemd is not asked for anything; where it does not answer, it is tried again.
pub async fn watch_services(mut units: Receiver<WatchedUnits>, tell: impl Fn(BTreeSet<Address>)) {
    let mut pause = SHORTEST_PAUSE;
    while units.wait_for(|units| !units.is_empty()).await.is_ok() {
        let mut connected = false;
        let watched = watch_units(&mut units, |concerned: &BTreeSet<Address>| {
            connected = true;
            tell(concerned.clone());
        });
        let Err(error) = watched.await else { continue };
        // systemd closes its connections when it is updated in place.
        pause = if connected { SHORTEST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        if pause == LONGEST_PAUSE && !matches!(error, SystemdError::NotHere) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "systemd does not tell what happens; sweeps find drift of services");
        }
        tokio::time::sleep(pause).await;
    }
}
