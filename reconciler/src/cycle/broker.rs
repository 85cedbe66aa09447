//! How the broker stands: a condition of the fleet.

use muster_schema::condition::{Condition, ConditionStatus};
use tokio::sync::watch;

use super::Orchestrator;
use crate::events::EventKind;
use crate::io::bus::BrokerState;
use crate::io::clock;

const CONDITION: &str = "BrokerConnected";

/// The broker's next state; waits for ever where nobody serves one.
pub(super) async fn next_state(broker: &mut Option<watch::Receiver<BrokerState>>) -> BrokerState {
    if let Some(standing) = broker
        && standing.changed().await.is_ok()
    {
        return standing.borrow_and_update().clone();
    }
    std::future::pending().await
}

impl Orchestrator {
    /// States how the broker stands, and tells when that changed.
    pub(super) fn take_broker(&mut self, now: BrokerState) {
        let (status, reason, message) = match &now {
            BrokerState::Connected => (ConditionStatus::True, "Connected", String::new()),
            BrokerState::Lost(why) => (ConditionStatus::False, "ConnectionLost", why.clone()),
        };
        let before = {
            let mut fleet = self.state.fleet_mut();
            let before = fleet.condition(CONDITION).map(|held| held.status);
            fleet.set_condition(Condition {
                r#type: CONDITION.to_owned(),
                status,
                reason: reason.to_owned(),
                message: message.clone(),
                observed_revision: None,
                last_transition: clock::now(),
            });
            before
        };
        if before == Some(status) {
            return;
        }
        self.note_fleet_changed();
        let (kind, text) = match now {
            BrokerState::Connected => (EventKind::BrokerConnected, "connected to the broker".to_owned()),
            BrokerState::Lost(_) => (EventKind::BrokerLost, format!("the broker cannot be used: {message}")),
        };
        self.state.events.push(clock::now(), kind, None, text);
    }

    /// Where agents use no broker, nothing is said of one.
    pub(super) fn forget_broker(&mut self) {
        let held = self.state.fleet().condition(CONDITION).is_some();
        if held {
            self.state.fleet_mut().conditions.retain(|condition| condition.r#type != CONDITION);
            self.note_fleet_changed();
        }
    }
}
