//! A policy that nobody could change again is refused.

use super::verify;
use crate::test_repository::TestRepository;

/// Whether alice, who may do all now, may leave these rules; `ben` and `carol` have keys too.
fn left(rules: &str, signers: &[(&str, &str)]) -> Result<(), String> {
    let repo = TestRepository::new();
    for name in ["ben", "carol"] {
        repo.make_key(name, &["-t", "ed25519"]);
    }
    let anchor = repo.head();
    let lines: String = signers.iter().map(|(name, options)| repo.signer_line(name, options)).collect();
    repo.write("policy/allowed_signers", &lines);
    repo.write("policy/access.yaml", rules);
    let head = repo.commit_as("alice", "leave these");
    match verify(&repo, anchor, head) {
        Ok(_) => Ok(()),
        Err(rejection) => {
            assert_eq!(rejection.code(), "PolicyNobodyLeft", "{rejection}");
            Err(rejection.to_string())
        }
    }
}

const ALL: [(&str, &str); 3] = [("alice", ""), ("ben", ""), ("carol", "")];

fn with_needs(rules: &str, needs: &str) -> String {
    format!("rules:\n{rules}approvals: [{{paths: [\"policy/**\"], {needs}}}]\n")
}

#[test]
fn somebody_writes_and_somebody_merges() {
    let rule = |who: &str, may: &str, paths: &str| {
        format!("  - {{who: [{who}@example.com], may: [{may}], paths: [\"{paths}\"]}}\n")
    };
    let rules = |parts: &[String]| format!("rules:\n{}", parts.concat());
    assert_eq!(left(&rules(&[rule("alice", "all", "policy/access.yaml")]), &ALL), Ok(()));
    assert_eq!(left(&rules(&[rule("ben", "write", "policy/**"), rule("carol", "merge", "**")]), &ALL), Ok(()));
    for (parts, says) in [
        (vec![rule("alice", "all", "policy/allowed_signers")], "right to write policy/access.yaml"),
        (vec![rule("alice", "merge, approve, query", "**")], "right to write"),
        (vec![rule("alice", "write, approve, act", "**")], "right to merge"),
        (vec![rule("alice", "all", "**").replace("}", ", hosts: role=web}")], "right to write"),
        (
            vec![rule("alice", "write", "**"), rule("ben", "all", "**").replace("}", ", collections: [files]}")],
            "to merge",
        ),
        // Somebody who is not listed, or not any more.
        (vec![rule("dora", "all", "**")], "right to write"),
    ] {
        let refused = left(&rules(&parts), &ALL).unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
    let expired = [("alice", ""), ("ben", "valid-before=\"20260101Z\"")];
    assert!(left(&rules(&[rule("ben", "all", "**")]), &expired).is_err());
    let not_for_git = [("alice", ""), ("ben", "namespaces=\"muster-approval\"")];
    assert!(left(&rules(&[rule("ben", "all", "**")]), &not_for_git).is_err());
}

#[test]
fn as_many_approve_as_are_needed() {
    let everybody = "  - {who: [\"*\"], may: [all]}\n";
    assert_eq!(left(&with_needs(everybody, "needs: 2"), &ALL), Ok(()), "two beside the author");
    assert_eq!(left(&with_needs(everybody, "needs: 3, author_counts: true"), &ALL), Ok(()));
    let refused = left(&with_needs(everybody, "needs: 3"), &ALL).unwrap_err();
    assert!(refused.contains("needs 3 approvals (line 3), and only 2 could approve"), "{refused}");
    assert!(left(&with_needs(everybody, "needs: 4, author_counts: true"), &ALL).is_err());

    // Author and merger are chosen so that they take as few approvers as can be.
    let apart = "  - {who: [alice@example.com], may: [write, merge]}\n  - {who: [\"*\"], may: [approve]}\n";
    assert_eq!(left(&with_needs(apart, "needs: 2"), &ALL), Ok(()));
    let without = "  - {who: [alice@example.com], may: [write]}\n  - {who: [ben@example.com], may: [merge, approve]}\n  - {who: [carol@example.com], may: [approve]}\n";
    assert_eq!(left(&with_needs(without, "needs: 1"), &ALL), Ok(()));
    assert!(left(&with_needs(without, "needs: 2"), &ALL).is_err());

    // Keys that are not for approvals, and keys of one person.
    let for_git = [("alice", ""), ("ben", "namespaces=\"git\""), ("carol", "namespaces=\"git\"")];
    assert!(left(&with_needs(everybody, "needs: 2"), &for_git).is_err());
}

#[test]
fn two_keys_of_one_person_are_one() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let key = |name: &str| repo.public_key(name);
    let lines = format!("alice@example.com {}\nx,alice@example.com {}\n", key("alice"), key("mallory"));
    repo.write("policy/allowed_signers", &lines);
    repo.write("policy/access.yaml", &with_needs("  - {who: [\"*\"], may: [all]}\n", "needs: 1"));
    let head = repo.commit_as("alice", "two keys");
    assert_eq!(verify(&repo, anchor, head).unwrap_err().code(), "PolicyNobodyLeft");
}
