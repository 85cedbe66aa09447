//! `GET /metrics`, in Prometheus' text form.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::response::IntoResponse;
use muster_schema::condition::ConditionStatus;

use crate::io::clock;
use crate::state::SharedState;

pub(super) async fn get(State(state): State<Arc<SharedState>>) -> impl IntoResponse {
    ([("content-type", "text/plain; version=0.0.4")], render(&state))
}

fn render(state: &SharedState) -> String {
    let mut text = String::new();
    let mut counts: Vec<_> = state.count_axes(clock::now()).into_iter().collect();
    counts.sort();
    for axis in ["sync", "health", "contact"] {
        let _ = writeln!(text, "# HELP muster_hosts_{axis} Hosts by {axis}.\n# TYPE muster_hosts_{axis} gauge");
        for ((_, value), n) in counts.iter().filter(|((of, _), _)| *of == axis) {
            let _ = writeln!(text, "muster_hosts_{axis}{{{axis}=\"{value}\"}} {n}");
        }
    }
    let (findings, pending) = {
        let fleet = state.fleet();
        let _ =
            writeln!(text, "# HELP muster_condition Conditions of the fleet that hold.\n# TYPE muster_condition gauge");
        for condition in &fleet.conditions {
            let holds = u8::from(condition.status == ConditionStatus::True);
            let _ = writeln!(text, "muster_condition{{type=\"{}\"}} {holds}", condition.r#type);
        }
        (fleet.findings.len(), fleet.pending.len())
    };
    for (name, help, value) in [
        ("muster_findings", "Faults of the newest verified revision.", findings),
        ("muster_enrolment_pending", "Agents that wait for approval.", pending),
    ] {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let counters = &state.counters;
    for (name, help, value) in [
        ("muster_reconciles_total", "Revisions reconciled.", read(&counters.reconciles)),
        ("muster_manifests_published_total", "Manifests published.", read(&counters.manifests)),
        ("muster_reports_total", "Reports folded.", read(&counters.reports)),
        ("muster_messages_refused_total", "Messages refused.", read(&counters.refused)),
    ] {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}");
    }
    let micros = read(&counters.reconcile_micros);
    let _ = writeln!(
        text,
        "# HELP muster_reconcile_seconds Duration of the last reconcile.\n# TYPE muster_reconcile_seconds gauge\n\
         muster_reconcile_seconds {}.{:06}",
        micros / 1_000_000,
        micros % 1_000_000
    );
    text
}
