#![allow(clippy::unwrap_used)]
use muster_schema::Timestamp;

use super::*;
use crate::events::EventKind;
use crate::status::{FleetStatus, HostStatus};

async fn get(state: Arc<SharedState>, path: &str) -> (u16, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router(state)).await });
    let answer = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.get(&url).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    });
    let answer = answer.await.unwrap();
    server.abort();
    answer
}

fn state() -> Arc<SharedState> {
    let mut fleet = FleetStatus::new("shop".parse().unwrap());
    let hold = crate::status::Hold {
        health: muster_schema::state::Health::Pending,
        reason: "WaitingForFacts".into(),
        message: "<script>alert(1)</script>".into(),
    };
    let key = Some("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().unwrap());
    fleet.hosts.insert("web-1".parse().unwrap(), HostStatus { hold: Some(hold), key, ..HostStatus::default() });
    let state = SharedState::new(fleet);
    state.events.push(Timestamp(1), EventKind::HostDrift, Some("web-1".parse().unwrap()), "<img src=x>");
    Arc::new(state)
}

#[tokio::test]
async fn hosts_are_listed_and_shown() {
    let (status, body) = get(state(), "/api/v1/hosts").await;
    assert_eq!(status, 200);
    let hosts: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(hosts[0]["reason"], "WaitingForFacts");
    assert_eq!(get(state(), "/api/v1/hosts/web-1").await.0, 200);
    for path in ["/api/v1/hosts/web-2", "/api/v1/hosts/..%2f..", "/api/v1/hosts/%1b%5b2J"] {
        let (status, body) = get(state(), path).await;
        assert_eq!(status, 404, "{path}");
        assert!(!body.contains('\u{1b}'), "{path}");
    }
}

#[tokio::test]
async fn what_hosts_say_is_inert_on_the_page() {
    let (status, body) = get(state(), "/").await;
    assert_eq!(status, 200);
    assert!(body.contains("&lt;script&gt;alert(1)"), "{body}");
    assert!(!body.contains("<script>alert(1)") && !body.contains("<img src=x"), "{body}");
}

#[tokio::test]
async fn metrics_count_hosts_by_axis() {
    let (_, body) = get(state(), "/metrics").await;
    assert!(body.contains("muster_hosts_health{health=\"Pending\"} 1\n"), "{body}");
}

#[tokio::test]
async fn what_does_not_hold_is_in_metrics_and_health() {
    use muster_schema::condition::{Condition, ConditionStatus};
    let condition = |r#type: &str, status, reason: &str, message: &str| Condition {
        r#type: r#type.into(),
        status,
        reason: reason.into(),
        message: message.into(),
        observed_revision: None,
        last_transition: Timestamp(1),
    };
    let healthy = state();
    healthy.fleet_mut().set_condition(condition("Verified", ConditionStatus::True, "Verified", ""));
    assert_eq!(get(healthy.clone(), "/healthz").await, (200, "ok\n".to_owned()));
    let lost = condition("BrokerConnected", ConditionStatus::False, "ConnectionLost", "refused\u{1b}[2J\nok");
    healthy.fleet_mut().set_condition(lost);
    let (status, body) = get(healthy.clone(), "/healthz").await;
    assert_eq!((status, body.as_str()), (200, "degraded\nBrokerConnected: ConnectionLost: refused [2J ok\n"));
    let (_, body) = get(healthy, "/metrics").await;
    assert!(body.contains("muster_condition{type=\"BrokerConnected\"} 0\n"), "{body}");
    assert!(body.contains("muster_condition{type=\"Verified\"} 1\n"), "{body}");
}
