#![allow(clippy::unwrap_used)]
use super::*;
use crate::enrolment::test_token::{TestToken, machine_key};
use crate::model::tests::load;
use crate::status::HostStatus;
use crate::status::test_fleet::{NOW, commit};

const HOUR: Duration = Duration::from_secs(3600);
const RECIPIENT: &str = "age1machine";

/// A fleet of web-1, web-2 and db-1 without keys and web-9 with one, and a token.
struct Scene {
    token: TestToken,
    model: Model,
    fleet: FleetStatus,
}

fn scene_with(whose: &str, hosts: &str) -> Scene {
    let token = TestToken::new();
    let (model, found) = load(&format!(
        "=== muster.yaml\nschema: 1\nfleet: test\n=== environments/lab/hosts/web-1.yaml\nlabels: {{role: web}}\n\
=== environments/lab/hosts/web-2.yaml\nlabels: {{role: web}}\n=== environments/lab/hosts/db-1.yaml\nlabels: {{role: db}}\n\
=== environments/lab/hosts/web-9.yaml\nlabels: {{role: web}}\nkey: \"{}\"\n{hosts}\
=== enrolment/tokens/one.yaml\n{}",
        machine_key(),
        token.document(whose, NOW, NOW.plus(HOUR)),
    ));
    assert_eq!(found, []);
    Scene { token, model, fleet: FleetStatus::new("test".parse().unwrap()) }
}

fn scene(whose: &str) -> Scene {
    scene_with(whose, "")
}

impl Scene {
    fn judge(&self, key: PublicKey, name: &str, claim: &TokenClaim, now: Timestamp) -> Result<Claimed, ClaimRefused> {
        let name = name.parse().unwrap();
        let claimant = Claimant { key, recipient: RECIPIENT, name: &name, claim };
        judge_claim(&claimant, &self.model, &commit('a'), &self.fleet, now)
    }

    /// As which host the token makes a machine of this name, and keeps that.
    fn take(&mut self, key: PublicKey, name: &str, host: Option<&str>) -> Result<String, ReceiptCode> {
        let claim = self.token.claim("test", &key, RECIPIENT, host);
        match self.judge(key, name, &claim, NOW) {
            Ok(Claimed::Now(binding)) => {
                let host = binding.host.to_string();
                self.fleet.bindings.insert(claim.token, *binding);
                Ok(host)
            }
            Ok(Claimed::Before) => Ok("as before".to_owned()),
            Err(refused) => Err(refused.code()),
        }
    }
}

#[test]
fn a_machine_is_the_claimed_host_or_the_one_of_its_name_or_the_first_that_is_free() {
    for (whose, name, claimed, expected) in [
        ("host: web-2", "anything", None, Ok("web-2")),
        ("host: web-2", "web-1", None, Ok("web-2")),
        ("host: web-2", "web-1", Some("web-2"), Ok("web-2")),
        ("hosts: role=web", "web-2", None, Ok("web-2")),
        ("hosts: role=web", "ip-10-0-0-7", None, Ok("web-1")),
        ("hosts: role=web", "db-1", None, Ok("web-1")),
        ("hosts: role=web", "web-1", Some("web-2"), Ok("web-2")),
        ("host: web-2", "web-1", Some("web-1"), Err(ReceiptCode::TokenHostTaken)),
        ("hosts: role=web", "db-1", Some("db-1"), Err(ReceiptCode::TokenHostTaken)),
        ("hosts: role=web", "web-9", Some("web-9"), Err(ReceiptCode::TokenHostTaken)),
        ("hosts: role=web", "web-7", Some("web-7"), Err(ReceiptCode::TokenHostTaken)),
        ("host: web-9", "web-9", None, Err(ReceiptCode::TokenHostTaken)),
        ("hosts: role=mail", "x", None, Err(ReceiptCode::TokenHostTaken)),
    ] {
        let got = scene(whose).take(machine_key(), name, claimed);
        assert_eq!(got, expected.map(str::to_owned), "{whose} {name} {claimed:?}");
    }
}

#[test]
fn a_token_is_used_once() {
    let (mut scene, first) = (scene("hosts: role=web"), machine_key());
    assert_eq!(scene.take(first, "x", None), Ok("web-1".to_owned()));
    assert_eq!(scene.take(machine_key(), "x", None), Err(ReceiptCode::TokenUsed));
    assert_eq!(scene.take(first, "x", None), Ok("as before".to_owned()), "the answer was lost");
    // Neither the end of the binding nor of the token's document makes it new.
    for binding in scene.fleet.bindings.values_mut() {
        binding.ended = Some(NOW);
    }
    for key in [first, machine_key()] {
        assert_eq!(scene.take(key, "x", None), Err(ReceiptCode::TokenUsed));
    }
    scene.model = load("=== muster.yaml\nschema: 1\nfleet: test\n").0;
    assert_eq!(scene.take(first, "x", None), Err(ReceiptCode::TokenUsed));
}

#[test]
fn a_host_is_one_machine_and_a_machine_is_one_host() {
    let (mut scene, first) = (scene("hosts: role=web"), machine_key());
    assert_eq!(scene.take(first, "x", None), Ok("web-1".to_owned()));
    let bindings = scene.fleet.bindings.clone();
    for (name, key, expected) in [("another", machine_key(), "web-2"), ("the same", first, "as before")] {
        scene = scene_with("hosts: role=web", "");
        scene.fleet.bindings = bindings.clone();
        assert_eq!(scene.take(key, "web-1", None), Ok(expected.to_owned()), "{name}");
    }
    let id: HostId = "web-1".parse().unwrap();
    let with_key = HostStatus { key: Some(machine_key()), ..HostStatus::default() };
    let mut held = scene_with("host: web-1", "");
    held.fleet.hosts.insert(id, with_key);
    assert_eq!(held.take(machine_key(), "web-1", None), Err(ReceiptCode::TokenHostTaken), "at its assigned revision");
}

#[test]
fn a_token_counts_in_its_time_alone() {
    let scene = scene("host: web-1");
    let key = machine_key();
    let claim = scene.token.claim("test", &key, RECIPIENT, None);
    let at = |millis: i64| Timestamp(NOW.0.checked_add_signed(millis).unwrap());
    let hour = 3_600_000;
    for (time, counts) in
        [(-301_000, false), (-300_000, true), (0, true), (hour - 1, true), (hour, false), (9 * hour, false)]
    {
        let judged = scene.judge(key, "web-1", &claim, at(time));
        assert_eq!(judged.is_ok(), counts, "{time}: {judged:?}");
        assert!(judged.is_ok() || judged.unwrap_err().code() == ReceiptCode::TokenExpired);
    }
}

#[test]
fn what_the_token_did_not_sign_makes_nobody_a_host() {
    let scene = scene("hosts: role=web");
    let (mine, thief) = (machine_key(), machine_key());
    let claim = |token: &TestToken, fleet: &str, host| token.claim(fleet, &mine, RECIPIENT, host);
    let good = claim(&scene.token, "test", None);
    assert!(scene.judge(mine, "x", &good, NOW).is_ok());
    let code = |key, claim: &TokenClaim| scene.judge(key, "x", claim, NOW).unwrap_err().code();
    assert_eq!(code(thief, &good), ReceiptCode::TokenInvalid, "a replay by another machine");
    assert_eq!(code(mine, &claim(&scene.token, "other", None)), ReceiptCode::TokenInvalid, "of another fleet");
    let renamed = TokenClaim { host: Some("web-2".parse().unwrap()), ..good.clone() };
    assert_eq!(code(mine, &renamed), ReceiptCode::TokenInvalid, "as another host");
    let forged = TokenClaim { token: scene.token.key(), ..claim(&TestToken::new(), "test", None) };
    assert_eq!(code(mine, &forged), ReceiptCode::TokenInvalid, "by another token");
    let torn = TokenClaim { signature: "torn".into(), ..good };
    assert_eq!(code(mine, &torn), ReceiptCode::TokenInvalid);
    assert_eq!(code(mine, &claim(&TestToken::new(), "test", None)), ReceiptCode::TokenUnknown, "nobody named it");
    let other = scene.token.claim("test", &mine, "age1other", None);
    assert_eq!(code(mine, &other), ReceiptCode::TokenInvalid, "another recipient");
}

#[test]
fn a_key_that_was_taken_back_comes_by_no_token_again() {
    let key = machine_key();
    let revoked = format!("=== environments/lab/hosts/old.yaml\nrevoked_keys: [\"{key}\"]\n");
    let mut scene = scene_with("host: web-1", &revoked);
    assert_eq!(scene.take(key, "web-1", None), Err(ReceiptCode::KeyRevoked));
    assert_eq!(scene.take(machine_key(), "web-1", None), Ok("web-1".to_owned()));
}
