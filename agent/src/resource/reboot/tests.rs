#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use super::window::next_opening;
use super::*;
use muster_schema::resource::RebootWindow;
use serde_json::{Value as Json, json};

fn opening(window: Json, now: &str) -> Option<String> {
    let window: RebootWindow = serde_json::from_value(window).unwrap();
    let zone = window.timezone.as_ref().map(|zone| std::fs::read(format!("{ZONES}/{zone}")).unwrap());
    let now: jiff::Timestamp = now.parse().unwrap();
    let now = Timestamp(u64::try_from(now.as_millisecond()).unwrap());
    next_opening(&window, zone.as_deref(), now).unwrap()
}

#[test]
fn a_window_is_open_or_opens_next() {
    // 2026-11-28 is a Saturday.
    let night = json!({"from": "02:00", "to": "04:00"});
    assert_eq!(opening(night.clone(), "2026-11-28T02:00:00Z"), None);
    assert_eq!(opening(night.clone(), "2026-11-28T03:59:59Z"), None);
    assert_eq!(opening(night.clone(), "2026-11-28T04:00:00Z").as_deref(), Some("2026-11-29 02:00 UTC"));
    assert_eq!(opening(night, "2026-11-28T01:59:59Z").as_deref(), Some("2026-11-28 02:00 UTC"));

    let over_midnight = json!({"from": "22:00", "to": "04:00", "days": ["sat"]});
    assert_eq!(opening(over_midnight.clone(), "2026-11-28T23:00:00Z"), None);
    assert_eq!(opening(over_midnight.clone(), "2026-11-29T03:00:00Z"), None, "it opened on Saturday");
    assert_eq!(opening(over_midnight.clone(), "2026-11-28T03:00:00Z").as_deref(), Some("2026-11-28 22:00 UTC"));
    assert_eq!(opening(over_midnight, "2026-11-29T22:30:00Z").as_deref(), Some("2026-12-05 22:00 UTC"));

    let zoned = json!({"from": "02:30", "to": "03:00", "timezone": "Europe/Berlin"});
    assert_eq!(opening(zoned.clone(), "2026-07-01T00:45:00Z"), None, "summer time");
    assert_eq!(opening(zoned, "2026-07-01T01:00:00Z").as_deref(), Some("2026-07-02 02:30 CEST"));
}

#[test]
fn what_is_owed_is_made_once_and_never_for_what_leaves() {
    let spec = RebootSpec { needed: Some(true), ..RebootSpec::default() };
    let scope = Scope { sandbox: false, owners: true };
    let wanted = spec.wanted(Existence::Present, scope);
    let owed = State::present([(REBOOT, OWED.into())]);
    let none = State::present([(REBOOT, "none".into())]);
    let change = spec.diff(&wanted, &owed).unwrap().unwrap();
    assert_eq!(change.to_string(), "reboot: owed → done");
    assert_eq!(spec.diff(&wanted, &none).unwrap(), None);
    for original in [&owed, &none] {
        let back = Wanted { state: original.clone(), ..Wanted::default() };
        assert_eq!(spec.diff(&back, &owed).unwrap(), None, "a reboot is no way back");
    }
    let waits = State::present([(REBOOT, OWED.into()), (WAITS, "the window".into())]);
    assert!(matches!(spec.diff(&wanted, &waits), Err(ResourceError::Waits(_))));
}
