use super::render;
use crate::io::status_file::Status;
use serde_json::json;

fn status(change: impl Fn(&mut serde_json::Value)) -> Status {
    let mut status = json!({
        "pid": 7, "version": "1.0.0", "id": null, "name": "web-1", "key": "0123-4567", "applied": null,
        "health": "Pending", "reason": "WaitingForManifest", "message": "no manifest yet", "counts": {},
        "retired": false, "sweeps": 0, "sweep_cpu_us": 0, "written": 0,
    });
    change(&mut status);
    serde_json::from_value(status).unwrap()
}

#[test]
fn before_enrolment_it_shows_the_key_to_compare_and_what_to_do() {
    let shown = render(&status(|_| ()), true);
    assert!(shown.contains("host      not enrolled; it would like to be web-1\nkey       0123-4567\n"), "{shown}");
    assert!(shown.contains("next      `muster host approve web-1`"), "{shown}");
}

#[test]
fn an_enrolled_host_needs_a_person_only_when_something_is_wrong() {
    let healthy = status(|status| {
        status["id"] = json!("web-1");
        status["health"] = json!("Healthy");
        status["counts"] = json!({"compliant": 12});
    });
    let shown = render(&healthy, true);
    assert!(shown.starts_with("host      web-1\nkey       0123-4567\nagent     1.0.0, process 7\n"), "{shown}");
    assert!(shown.ends_with("      12  compliant\n"), "{shown}");
    assert!(render(&healthy, false).contains("next      start the agent"));
    let degraded = status(|status| {
        status["id"] = json!("web-1");
        status["health"] = json!("Degraded");
    });
    assert!(render(&degraded, true).contains("`muster why web-1`"));
}
