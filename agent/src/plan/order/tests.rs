use super::Order;
use crate::plan::{Purpose, Target};
use crate::resource::test_converger::load;
use serde_json::{Value, json};
use std::sync::Arc;

/// The stage of each address.
fn stages(resources: &Value) -> Vec<(String, usize)> {
    let target =
        |resource| Target { resource: Arc::new(resource), wanted: None, purpose: Purpose::Enforce, implicit: false };
    let mut targets: Vec<Target> = load(resources).into_iter().map(target).collect();
    for (at, target) in targets.iter_mut().enumerate() {
        Arc::get_mut(&mut target.resource).unwrap().application = Some(format!("application-{at}"));
    }
    let order = Order::of(&targets.iter().map(Target::ordered).collect::<Vec<_>>()).expect("an order");
    let staged =
        order.stages.iter().enumerate().flat_map(|(stage, members)| members.iter().map(move |at| (*at, stage)));
    staged.map(|(at, stage)| (targets[at].address().to_string(), stage)).collect()
}

fn stage_of(resources: &Value, address: &str) -> usize {
    stages(resources).into_iter().find(|(one, _)| one == address).expect("a stage").1
}

#[test]
fn repositories_come_before_packages_of_every_application() {
    let all = json!({
        "repositories/a": {}, "repositories/b": {"meta": {"requires": ["files/x"]}}, "files/x": {},
        "packages/p": {}, "packages/q": {}, "services/s": {},
    });
    let last = stage_of(&all, "repositories/b");
    for package in ["packages/p", "packages/q"] {
        assert!(stage_of(&all, package) > last, "{:?}", stages(&all));
    }
    // What a repository needs does not wait for it; what is to go waits for nothing.
    let needed = json!({
        "repositories/a": {"meta": {"requires": ["packages/certificates"]}}, "packages/certificates": {},
        "packages/p": {}, "packages/gone": {"meta": {"state": "absent"}},
    });
    let stage = |address: &str| stage_of(&needed, address);
    assert_eq!(stage("packages/certificates"), 0);
    assert!(stage("packages/gone") < stage("packages/p"), "{:?}", stages(&needed));
    assert!(stage("packages/p") > stage("repositories/a"));
}
