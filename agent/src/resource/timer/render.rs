//! The units of a timer.

use crate::resource::generated_unit::{HEAD, quote, quote_argument};
use muster_schema::resource::TimerSpec;
use std::fmt::Write;

/// The service, and the timer that starts it.
pub(super) fn render_units(spec: &TimerSpec) -> [String; 2] {
    let command: Vec<String> = spec.command.iter().flatten().map(|part| quote_argument(part)).collect();
    let mut service = format!("{HEAD}[Service]\nType=oneshot\nExecStart={}\n", command.join(" "));
    if let Some(user) = &spec.user {
        let _ = writeln!(service, "User={user}");
    }
    for (name, value) in spec.env.iter().flatten() {
        let _ = writeln!(service, "Environment={}", quote(&format!("{name}={value}")));
    }
    let calendar = spec.calendar.as_deref().unwrap_or_default();
    let mut timer = format!("{HEAD}[Timer]\nOnCalendar={calendar}\n");
    if spec.persistent == Some(true) {
        timer.push_str("Persistent=true\n");
    }
    if let Some(seconds) = spec.splay {
        let _ = writeln!(timer, "RandomizedDelaySec={seconds}");
    }
    timer.push_str("\n[Install]\nWantedBy=timers.target\n");
    [service, timer]
}
