use super::load;
use crate::model::{Finding, Model};

const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const FLEET: &str = "=== muster.yaml\nschema: 1\nfleet: test\n=== environments/lab/environment.yaml\nlabels: {tier: test}\n\
=== environments/lab/hosts/web-1.yaml\nlabels: {role: web}\n=== environments/lab/hosts/db-1.yaml\n";
const TIMES: &str = "issued: 2026-12-01T09:00:00Z\nexpires: 2026-12-01T10:00:00Z\n";

fn with_token(token: &str) -> (Model, Vec<Finding>) {
    load(&format!("{FLEET}=== enrolment/tokens/one.yaml\n{token}"))
}

/// The hosts that the token selects.
fn selected(token: &str) -> Vec<String> {
    let (model, found) = with_token(token);
    assert_eq!(found, []);
    let [token] = model.tokens() else { panic!("one token") };
    model.hosts().filter(|host| token.selects(host)).map(|host| host.id.to_string()).collect()
}

#[test]
fn a_token_is_for_one_host_or_for_selected_ones() {
    assert_eq!(selected(&format!("key: \"{KEY}\"\nhost: web-1\n{TIMES}")), ["web-1"]);
    assert_eq!(selected(&format!("key: \"{KEY}\"\nhosts: role=web\n{TIMES}")), ["web-1"]);
    assert_eq!(selected(&format!("key: \"{KEY}\"\nhosts: tier=test,role!=web\n{TIMES}")), ["db-1"]);
    // A host that left is no fault of the repository.
    assert_eq!(selected(&format!("key: \"{KEY}\"\nhost: web-9\n{TIMES}")), Vec::<String>::new());
}

#[test]
fn a_faulty_token_is_none_and_holds_nobody_back() {
    let life = |expires: &str| format!("issued: 2026-12-01T09:00:00Z\nexpires: {expires}\n");
    for (what, token) in [
        ("for one host or for selected ones", format!("key: \"{KEY}\"\n{TIMES}")),
        ("for one host or for selected ones", format!("key: \"{KEY}\"\nhost: web-1\nhosts: role=web\n{TIMES}")),
        ("is no time", format!("key: \"{KEY}\"\nhost: web-1\n{}", life("2026-12-01"))),
        ("at most 30 days", format!("key: \"{KEY}\"\nhost: web-1\n{}", life("2026-12-31T09:00:01Z"))),
        ("at most 30 days", format!("key: \"{KEY}\"\nhost: web-1\n{}", life("2026-12-01T09:00:00Z"))),
        ("expires", format!("key: \"{KEY}\"\nhost: web-1\nissued: 2026-12-01T09:00:00Z\n")),
        ("key", format!("host: web-1\n{TIMES}")),
        ("does not match", format!("key: abc\nhost: web-1\n{TIMES}")),
        ("uses", format!("key: \"{KEY}\"\nhost: web-1\nuses: 2\n{TIMES}")),
    ] {
        let (model, found) = with_token(&token);
        assert!(found.iter().any(|finding| finding.reason.contains(what)), "{what}: {found:?}");
        assert!(found.iter().all(|finding| !finding.holds_environment("lab")), "{what}: {found:?}");
        assert_eq!(model.tokens(), [], "{what}");
    }
}

#[test]
fn two_tokens_of_one_key_are_a_fault() {
    let token = format!("key: \"{KEY}\"\nhost: web-1\n{TIMES}");
    let (model, found) =
        load(&format!("{FLEET}=== enrolment/tokens/one.yaml\n{token}=== enrolment/tokens/two.yaml\n{token}"));
    assert!(found.iter().any(|finding| finding.reason.contains("as well")), "{found:?}");
    assert_eq!(model.tokens().len(), 1);
}

#[test]
fn a_key_that_is_taken_back_is_not_given_in_the_same_file() {
    let (model, found) = load(&format!(
        "=== muster.yaml\nschema: 1\nfleet: test\n=== environments/lab/hosts/a.yaml\nkey: \"{KEY}\"\nrevoked_keys: [\"{KEY}\"]\n\
=== environments/lab/hosts/b.yaml\nrevoked_keys: [\"{KEY}\"]\n"
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].reason.contains("takes back"), "{found:?}");
    assert!(model.hosts().all(|host| host.revoked_keys.len() == 1));
}
