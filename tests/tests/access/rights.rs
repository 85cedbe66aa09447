//! A token of a person: what the policy of the newest revision lets that person ask, and nothing else.

use muster_tests::fleet::{allowed_signer, make_key};
use muster_tests::wait::wait_until;

use super::*;

const ANA: &str = "ana@example.org";

/// Everything for the operator, and these rules.
fn policy(rules: &str) -> String {
    format!("rules:\n- {{who: [operator@example.org], may: [all]}}\n{rules}")
}

#[test]
fn a_token_of_a_person_goes_by_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, _agents) = begin(folder.path(), &["web", "db"]);
    let key = folder.path().join("ana");
    make_key(&key, ANA).unwrap();
    let operator = fleet.repository.allowed_signer().unwrap();
    let with_ana = format!("{operator}{}", allowed_signer(ANA, &key).unwrap());
    let push = |signers: &str, rules: &str| {
        fleet.repository.write("policy/allowed_signers", signers).unwrap();
        fleet.repository.write("policy/access.yaml", policy(rules)).unwrap();
        fleet.repository.publish("policy: Say who may ask").unwrap();
    };
    let arguments = ["ana", "--scope", "read,query,act", "--principal", ANA];
    let ana = create(&fleet, &arguments);
    let others = create(&fleet, &["ci", "--scope", "query"]);
    let asks = |path: &str| {
        let (status, problem) = get(&fleet, path, &ana);
        (status, problem["detail"].as_str().unwrap_or_default().to_owned())
    };
    let (web, db) = ("/api/v1/hosts/web-1/v1/users", "/api/v1/hosts/db-1/v1/users");
    let (status, why) = asks(web);
    assert!(status == 403 && why.contains("lists no key of ana"), "{status} {why}");

    push(&with_ana, "- {who: [ana@example.org], may: [query], hosts: role=web, collections: [users]}\n");
    wait_until("the right", SOON, || asks(web).0 == 200).unwrap();
    for denied in [db, "/api/v1/hosts/web-1/v1/files", "/api/v1/hosts/web-1/v1/facts", "/api/v1/hosts/nobody/v1/users"]
    {
        let (status, why) = asks(denied);
        assert!(status == 403 && why.contains("ana@example.org may not query this"), "{denied}: {status} {why}");
    }
    let converge = || ask(&fleet, "POST", "/api/v1/hosts/web-1/v1/converge", Some(&format!("Bearer {ana}"))).0;
    assert_eq!(converge(), 403);
    let (status, answer) = get(&fleet, "/api/v1/query?selector=*&target=/v1/users", &ana);
    assert_eq!((status, &answer["answers"][0]["host"]), (200, &Value::from("web-1")), "{answer}");
    assert_eq!(answer["unanswered"][0]["host"], "db-1", "{answer}");
    // A token of nobody in particular has what its scopes say.
    assert_eq!(get(&fleet, db, &others).0, 200);

    push(&with_ana, "- {who: [ana@example.org], may: [act]}\n");
    wait_until("the right", SOON, || converge() == 200).unwrap();
    assert_eq!(asks(web).0, 403);
    // Who is no signer any more has no rights, whatever rule there still is.
    push(&operator, "- {who: [\"*\"], may: [query, act]}\n");
    wait_until("the right to be gone", SOON, || asks(web).1.contains("lists no key of ana")).unwrap();
    assert_eq!(converge(), 403);
    let log = fs::read_to_string(fleet.data().join("audit.log")).unwrap();
    assert!(log.lines().any(|line| line.contains("token:ana") && line.contains("may not query this")), "{log}");
}
