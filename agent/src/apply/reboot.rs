//! A boot settles the reboot that was owed before it.

use super::outcome::Outcome;
use super::{ApplyError, ManagedHost};
use crate::resource::{forget_reboot, reboot_address, reboot_was_settled};
use crate::store::Batch;
use muster_schema::Timestamp;
use muster_schema::state::{Cause, ResourceState};

/// Before anything else of a new process: was the host booted since a reboot was owed? Then it is owed no more, also
/// where the reaction that asked for it could not be struck off any more.
///
/// # Errors
/// When the agent's own disk refuses.
pub fn settle_reboot(managed: &mut ManagedHost, now: Timestamp) -> Result<(), ApplyError> {
    let (Ok(true), Some(address)) = (reboot_was_settled(managed.host.as_read()), reboot_address()) else {
        return Ok(());
    };
    managed.owed.remove(&address);
    let mut batch = Batch::new();
    managed.owed.put(&mut batch)?;
    let outcome = Outcome {
        address,
        state: Some(ResourceState::Repaired),
        message: "rebooted".to_owned(),
        cause: Cause::Cascade,
        changed: true,
        reported: true,
    };
    managed.known.note(&managed.store, &[outcome], now, batch)?;
    if let Err(error) = forget_reboot(managed.host.as_read()) {
        tracing::warn!(error = error.chain(), "the note about the reboot stays");
    }
    tracing::info!("the host was booted; the reboot that was owed is made");
    Ok(())
}
