//! Reaching the orchestrator after a risky change, which stands by that.

use super::{Cycle, CycleError};
use crate::io::messenger::{Messenger, MessengerError};
use crate::worker::Order;
use std::time::Duration;

const TRY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(1);

/// Whenever the worker asks for it, reaches the orchestrator anew: connections from before the change prove nothing.
/// Every reply that is signed counts, a refusal too.
pub(super) async fn confirm_for_ever(cycle: &Cycle, messenger: &Messenger) -> Result<(), CycleError> {
    let mut awaits = cycle.shared.awaits_contact.subscribe();
    // The sender is ours, and stays.
    while let Ok(awaited) = awaits.wait_for(Option::is_some).await.map(|awaited| *awaited) {
        let Some(number) = awaited else { continue };
        cycle.transport.forget_connections().await;
        match tokio::time::timeout(TRY, messenger.ask(messenger.presence())).await {
            Ok(Ok(_) | Err(MessengerError::Refused { .. })) => {
                // A worker that ended ends the whole agent; see `cli::run`.
                let _ = cycle.orders.send(Order::Contact(number));
                let _ = tokio::time::timeout(TRY, awaits.wait_for(|now| *now != Some(number))).await;
            }
            Ok(Err(error)) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "not reached after a risky change");
                tokio::time::sleep(PAUSE).await;
            }
            Err(_) => {}
        }
    }
    std::future::pending().await
}
