#![allow(clippy::unwrap_used)]
use std::time::Duration;

use super::*;
use crate::enrolment::test_token::{TestToken, machine_key};
use crate::enrolment::{Claimant, Claimed, judge_claim};
use crate::model::tests::load;
use crate::status::FleetStatus;
use crate::status::test_fleet::{NOW, commit};

const HOUR: Duration = Duration::from_secs(3600);

/// A token for hosts of the role web and what it bound: web-1 to a machine.
struct Scene {
    token: TestToken,
    model: Model,
    newest: Model,
    binding: Binding,
}

/// The model where the file of web-1 has this line too.
fn model(token: &TestToken, line: &str) -> Model {
    let (model, found) = load(&format!(
        "=== muster.yaml\nschema: 1\nfleet: test\n=== environments/lab/hosts/web-1.yaml\nlabels: {{role: web}}\n{line}\n\
=== environments/lab/hosts/db-1.yaml\nlabels: {{role: db}}\n=== enrolment/tokens/one.yaml\n{}",
        token.document("hosts: role=web", NOW, NOW.plus(HOUR)),
    ));
    assert_eq!(found, []);
    model
}

fn scene() -> Scene {
    let token = TestToken::new();
    let (model, newest) = (model(&token, ""), model(&token, ""));
    let (key, name) = (machine_key(), "web-1".parse().unwrap());
    let claim = token.claim("test", &key, "age1machine", None);
    let claimant = Claimant { key, recipient: "age1machine", name: &name, claim: &claim };
    let fleet = FleetStatus::new("test".parse().unwrap());
    let Ok(Claimed::Now(binding)) = judge_claim(&claimant, &model, &commit('a'), &fleet, NOW) else { panic!() };
    Scene { token, model, newest, binding: *binding }
}

/// What is said of the binding as `change` leaves it.
fn judged(change: impl FnOnce(&mut Scene)) -> Result<(), NotBorneOut> {
    let mut scene = scene();
    change(&mut scene);
    verify_binding(&scene.binding, &scene.model, &scene.newest, &"test".parse().unwrap())
}

#[test]
fn what_a_token_bound_is_borne_out() {
    assert_eq!(judged(|_| {}), Ok(()));
    assert_eq!(judged(|scene| scene.binding.at = NOW.plus(HOUR / 2)), Ok(()));
}

#[test]
fn nothing_of_it_can_be_another() {
    let forged = |change: fn(&mut Binding)| judged(|scene| change(&mut scene.binding)).unwrap_err();
    assert!(matches!(forged(|binding| binding.key = machine_key()), NotBorneOut::Claim(_)));
    assert!(matches!(forged(|binding| binding.recipient = "age1other".to_owned()), NotBorneOut::Claim(_)));
    assert!(matches!(forged(|binding| binding.claim.token = machine_key()), NotBorneOut::NoToken { .. }));
    assert!(matches!(forged(|binding| binding.name = "two".to_owned()), NotBorneOut::NoToken { .. }));
    assert!(matches!(forged(|binding| binding.host = "db-1".parse().unwrap()), NotBorneOut::NotGiven(_)));
    assert!(matches!(forged(|binding| binding.host = "web-7".parse().unwrap()), NotBorneOut::NotGiven(_)));
    assert!(matches!(forged(|binding| binding.at = NOW.plus(HOUR)), NotBorneOut::Time { .. }));
    assert!(matches!(forged(|binding| binding.environment = "elsewhere".to_owned()), NotBorneOut::NotGiven(_)));
    let early = Timestamp(NOW.0 - 3_600_000);
    assert!(matches!(judged(|scene| scene.binding.at = early), Err(NotBorneOut::Time { .. })));
    // Said for one host, it is for no other; said in another fleet, it is nothing here.
    let other = judged(|scene| {
        let key = scene.binding.key;
        scene.binding.claim = scene.token.claim("test", &key, "age1machine", Some("web-2"));
    });
    assert!(matches!(other, Err(NotBorneOut::OtherHost(_))));
    let elsewhere = judged(|scene| {
        let key = scene.binding.key;
        scene.binding.claim = scene.token.claim("elsewhere", &key, "age1machine", None);
    });
    assert!(matches!(elsewhere, Err(NotBorneOut::Claim(_))));
}

#[test]
fn a_host_that_was_another_machine_is_not_given_by_a_token_of_before() {
    let another = machine_key();
    let had = judged(|scene| scene.model = model(&scene.token, &format!("key: \"{another}\"")));
    assert!(matches!(had, Err(NotBorneOut::HadKey { key, .. }) if key == another), "{had:?}");
    let revoked = |key: &PublicKey| format!("revoked_keys: [\"{key}\"]");
    let since = judged(|scene| scene.newest = model(&scene.token, &revoked(&another)));
    assert!(matches!(since, Err(NotBorneOut::WasOther { key, .. }) if key == another), "{since:?}");
    // Whose key was taken back before gave the host to the token.
    let before = judged(|scene| {
        scene.model = model(&scene.token, &revoked(&another));
        scene.newest = model(&scene.token, &revoked(&another));
    });
    assert_eq!(before, Ok(()));
    // Its own key in the file does not make it another machine.
    let own = judged(|scene| scene.newest = model(&scene.token, &format!("key: \"{}\"", scene.binding.key)));
    assert_eq!(own, Ok(()));
}
