use super::{FileState, UnitState};

fn unit(active: &str, sub: &str) -> UnitState {
    UnitState {
        id: "x.service".to_owned(),
        load: "loaded".to_owned(),
        active: active.to_owned(),
        sub: sub.to_owned(),
        job: false,
        file: Some(FileState::Disabled),
    }
}

#[test]
fn one_that_crashes_and_crashes_does_not_run() {
    for (active, sub, runs) in [
        ("active", "running", true),
        ("active", "exited", true),
        ("reloading", "reload", true),
        ("activating", "start", true),
        ("activating", "auto-restart", false),
        ("deactivating", "stop-sigterm", false),
        ("inactive", "dead", false),
        ("failed", "failed", false),
    ] {
        assert_eq!(unit(active, sub).runs(), runs, "{active} {sub}");
    }
}

#[test]
fn what_cannot_be_enabled_is_told_apart() {
    assert_eq!(FileState::of("linked"), FileState::Disabled);
    assert_eq!(FileState::of("masked-runtime"), FileState::Masked);
    assert_eq!(FileState::of("enabled-runtime"), FileState::EnabledRuntime, "it ends with the next boot");
    assert_eq!(FileState::of("static"), FileState::Fixed("static".to_owned()));
}

#[test]
fn what_is_on_its_way_is_told_from_what_rests() {
    for (active, sub, passes) in [
        ("active", "running", false),
        ("reloading", "reload", true),
        ("activating", "start", true),
        ("activating", "auto-restart", false),
        ("deactivating", "stop-sigterm", true),
        ("inactive", "dead", false),
    ] {
        assert_eq!(unit(active, sub).is_passing(), passes, "{active} {sub}");
    }
    // Between the stop and the start of a restart.
    assert!(UnitState { job: true, ..unit("inactive", "dead") }.is_passing());
}
