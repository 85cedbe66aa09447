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
    assert_eq!(hosts["items"][0]["reason"], "WaitingForFacts");
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

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// A fleet of hosts `web-0` to `web-9` and `db-0` to `db-9`, of which nothing is known but labels.
fn twenty() -> Arc<SharedState> {
    let mut fleet = FleetStatus::new("shop".parse().unwrap());
    for (role, n) in ["web", "db"].into_iter().flat_map(|role| (0..10).map(move |n| (role, n))) {
        let labels = [("role".to_owned(), role.to_owned())].into();
        let environment = Some(if n < 5 { "production" } else { "staging" }.to_owned());
        let host = HostStatus { labels, environment, ..HostStatus::default() };
        fleet.hosts.insert(format!("{role}-{n}").parse().unwrap(), host);
    }
    Arc::new(SharedState::new(fleet))
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let fleet = twenty();
    let ids = |page: &serde_json::Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|host| host["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = json(&get(fleet.clone(), "/api/v1/hosts?selector=role%3Dweb&environment=staging&limit=2").await.1);
    assert_eq!(
        (ids(&first), &first["total"], &first["next"]),
        (vec!["web-5".into(), "web-6".into()], &5.into(), &"web-6".into())
    );
    let path = "/api/v1/hosts?selector=role%3Dweb&environment=staging&limit=9&after=web-6&fields=id";
    let rest = json(&get(fleet.clone(), path).await.1);
    assert_eq!(ids(&rest), ["web-7", "web-8", "web-9"]);
    assert_eq!((rest.get("next"), rest["items"][0].as_object().unwrap().len()), (None, 1));
    for (query, total) in
        [("health=Pending", 20), ("health=Healthy", 0), ("reason=NoKey&search=b-3", 2), ("sync=Unknown", 20)]
    {
        let page = json(&get(fleet.clone(), &format!("/api/v1/hosts?{query}")).await.1);
        assert_eq!(page["total"], total, "{query}");
    }
}

#[tokio::test]
async fn what_is_no_question_is_a_problem_with_a_hint() {
    for (path, status) in [
        ("/api/v1/hosts?colour=red", 400),
        ("/api/v1/hosts?limit=0", 400),
        ("/api/v1/hosts?selector=%3D", 400),
        ("/api/v1/hosts?health=well", 400),
        ("/api/v1/hosts?fields=colour", 400),
        ("/api/v1/hosts/%ff", 400),
        ("/api/v1/revisions?after=x", 400),
        ("/api/v1/nothing", 404),
        ("/api/v1/", 404),
    ] {
        let (answered, body) = get(state(), path).await;
        assert_eq!(answered, status, "{path}: {body}");
        let problem: Problem = serde_json::from_str(&body).unwrap();
        assert_eq!(problem.status, status, "{path}");
    }
}

#[tokio::test]
async fn every_path_that_is_documented_is_there() {
    let document = json(&get(state(), "/api/v1/openapi.json").await.1);
    let paths = document["paths"].as_object().unwrap();
    let own: Vec<&String> = paths.keys().filter(|path| !path.starts_with("/hosts/{host}")).collect();
    assert!(own.len() >= 8, "{own:?}");
    for path in own {
        let (status, _) = get(state(), &format!("/api/v1{}", path.replace("{id}", "web-1"))).await;
        assert_eq!(status, 200, "{path}");
        // As the engine escapes it.
        let shown = format!("GET {}<", path.replace('/', "&#x2f;"));
        assert!(get(state(), "/api/v1/docs").await.1.contains(&shown), "{path}");
    }
}

#[tokio::test]
async fn events_are_a_page_or_a_stream() {
    let page = json(&get(state(), "/api/v1/events?host=web-1").await.1);
    assert_eq!((&page["total"], &page["items"][0]["kind"]), (&1.into(), &"host_drift".into()));
    assert_eq!(json(&get(state(), "/api/v1/events?kind=key_revoked").await.1)["total"], 0);
    // Over one connection: what was missed, what comes, and that something is lost.
    let (fleet, listener) = (state(), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("http://{}/api/v1/events?host=web-1", listener.local_addr().unwrap());
    let served = fleet.clone();
    let server = tokio::spawn(async move { axum::serve(listener, router(served)).await });
    let lines = |last: &'static str, wanted: usize| {
        let url = url.clone();
        tokio::task::spawn_blocking(move || {
            use std::io::BufRead;
            let request = ureq::get(&url).header("Accept", "text/event-stream").header("Last-Event-ID", last);
            let body = request.call().unwrap().into_body().into_reader();
            let lines = std::io::BufReader::new(body).lines().map(Result::unwrap);
            lines.filter(|line| line.starts_with("event:") || line.starts_with("id:")).take(wanted).collect::<Vec<_>>()
        })
    };
    assert_eq!(lines("0", 2).await.unwrap(), ["event: reset", "id: 1"]);
    let coming = lines("1", 1);
    fleet.events.push(Timestamp(7), EventKind::HostDrift, None, "of another");
    fleet.events.push(Timestamp(9), EventKind::HostDrift, Some("web-1".parse().unwrap()), "");
    assert_eq!(coming.await.unwrap(), ["id: 9"], "before or after the connection, and once");
    server.abort();
}
