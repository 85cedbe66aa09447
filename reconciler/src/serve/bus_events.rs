//! What the bus tells, for those who watch the fleet.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use crate::events::EventKind;
use crate::io::bus::Inbound;
use crate::state::SharedState;

/// How often the count is taken, where nothing is told.
const COUNT: Duration = Duration::from_secs(5);

/// Puts refused messages into the event log, for ever.
pub(super) async fn tell_refusals(door: Arc<Inbound>, state: Arc<SharedState>) {
    let mut refusals = door.refusals();
    loop {
        match timeout(COUNT, refusals.recv()).await {
            Ok(Ok(refused)) => {
                let text = format!("{}: {} (from {})", refused.code, refused.message, refused.source);
                state.events.push(refused.at, EventKind::MessageRefused, refused.host, text);
            }
            Ok(Err(RecvError::Closed)) => return,
            Ok(Err(RecvError::Lagged(_))) | Err(_) => {}
        }
        state.counters.refused.store(door.refused(), Ordering::Relaxed);
    }
}
