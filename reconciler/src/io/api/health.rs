//! `GET /healthz`: that this process answers, and what is wrong with the fleet's own parts.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use muster_schema::condition::ConditionStatus;

use crate::state::SharedState;

/// `ok`, or `degraded` and the conditions that do not hold, a line each. Both
/// with status 200: to start the process anew would mend none of them.
pub(super) async fn get(State(state): State<Arc<SharedState>>) -> String {
    let fleet = state.fleet();
    let mut text = String::new();
    for condition in fleet.conditions.iter().filter(|condition| condition.status == ConditionStatus::False) {
        let (reason, message) = (&condition.reason, condition.message.replace(char::is_control, " "));
        let _ = writeln!(text, "{}: {reason}: {message}", condition.r#type);
    }
    if text.is_empty() { "ok\n".to_owned() } else { format!("degraded\n{text}") }
}
