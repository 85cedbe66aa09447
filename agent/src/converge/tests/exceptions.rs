//! What holds for a limited time, and what holds after it.

use super::*;

const UNTIL: u64 = 1_700_000_060_000;

fn begin(sandbox: &Sandbox, exception: &Value) -> Converger {
    let mut resource = json!({"text": "normal\n", "mode": "0644"});
    resource["exception"] = exception.clone();
    let mut converger = sandbox.open(Vec::new());
    let resources = load(&converger.managed.blobs, &json!({"files/etc/motd": resource}));
    converger.set_resources(resources).unwrap();
    converger
}

fn converge(converger: &mut Converger) -> Outcome {
    let converged = converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    converged.outcomes.last().unwrap().clone()
}

#[test]
fn other_attributes_hold_until_their_time_and_then_the_normal_ones() {
    let sandbox = Sandbox::new();
    let exception = json!({"reason": "a trial", "until": UNTIL, "attributes": {"text": "trial\n", "mode": "0600"}});
    let mut converger = begin(&sandbox, &exception);
    converge(&mut converger);
    assert_eq!(sandbox.file("etc/motd"), ("trial\n".to_owned(), 0o600));
    assert_eq!(converger.exceptions().count(), 1);
    assert!(!converger.judge_exceptions(Timestamp(UNTIL - 1)).unwrap());
    assert!(converger.judge_exceptions(Timestamp(UNTIL)).unwrap());
    converge(&mut converger);
    assert_eq!(sandbox.file("etc/motd"), ("normal\n".to_owned(), 0o644));
    assert_eq!(converger.exceptions().count(), 0);
}

#[test]
fn an_attribute_that_only_the_exception_asks_for_goes_back_after_it() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/motd", "normal\n", 0o640);
    let mut converger = sandbox.open(Vec::new());
    let resource =
        json!({"text": "normal\n", "exception": {"reason": "r", "until": UNTIL, "attributes": {"mode": "0600"}}});
    let resources = load(&converger.managed.blobs, &json!({"files/etc/motd": resource}));
    converger.set_resources(resources).unwrap();
    converge(&mut converger);
    assert_eq!(sandbox.file("etc/motd"), ("normal\n".to_owned(), 0o600));
    converger.judge_exceptions(Timestamp(UNTIL)).unwrap();
    converge(&mut converger);
    assert_eq!(sandbox.file("etc/motd"), ("normal\n".to_owned(), 0o640));
}

#[test]
fn a_waived_thing_is_looked_at_and_left_alone_until_the_waiver_ends() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/motd", "by hand\n", 0o600);
    let mut converger = begin(&sandbox, &json!({"reason": "migration", "until": UNTIL}));
    let outcome = converge(&mut converger);
    assert_eq!(outcome.state, Some(ResourceState::Waived));
    let message = outcome.message;
    assert!(message.starts_with("until 2023-11-14T22:14:20Z: migration; differs: content: "), "{message}");
    assert_eq!(sandbox.file("etc/motd"), ("by hand\n".to_owned(), 0o600));
    converger.judge_exceptions(Timestamp(UNTIL)).unwrap();
    assert_eq!(converge(&mut converger).state, Some(ResourceState::Repaired));
    assert_eq!(sandbox.file("etc/motd"), ("normal\n".to_owned(), 0o644));
    let states = converger.managed().known.states();
    assert!(states.values().all(|known| known.state == ResourceState::Repaired));
}

#[test]
fn in_audit_a_waived_thing_is_not_compliant_after_the_waiver() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/motd", "by hand\n", 0o600);
    let mut converger = sandbox.open(Vec::new());
    let exception = json!({"reason": "migration", "until": UNTIL});
    let resource = json!({"text": "normal\n", "meta": {"mode": "audit"}, "exception": exception});
    let resources = load(&converger.managed.blobs, &json!({"files/etc/motd": resource}));
    converger.set_resources(resources).unwrap();
    assert_eq!(converge(&mut converger).state, Some(ResourceState::Waived));
    converger.judge_exceptions(Timestamp(UNTIL)).unwrap();
    assert_eq!(converge(&mut converger).state, Some(ResourceState::NonCompliant));
    assert_eq!(sandbox.file("etc/motd"), ("by hand\n".to_owned(), 0o600));
}
