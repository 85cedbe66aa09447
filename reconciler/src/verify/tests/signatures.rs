//! Who signed, with what, and when it counts.

use super::{assert_refused, receipt, verify, verify_at};
use crate::test_repository::TestRepository;

#[test]
fn passes_commits_of_every_kind_of_key() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let kinds: [(&str, &[&str]); 3] = [
        ("ecdsa", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
    ];
    let mut signers = repo.signer_line("alice", "");
    for (name, kind) in kinds {
        repo.make_key(name, kind);
        signers += &repo.signer_line(name, "namespaces=\"git\"");
    }
    repo.write("policy/allowed_signers", &signers);
    repo.commit_as("alice", "add signers");
    for (name, _) in kinds {
        repo.write("file", name);
        repo.commit_as(name, &format!("by {name}\n\nMuster-Confirm: x 1"));
    }

    let revision = verify(&repo, anchor, repo.head()).unwrap();
    assert_eq!(revision.id(), repo.head());
    assert_eq!(revision.anchor(), anchor);
    let principals: Vec<&str> = revision.mainline().map(|commit| commit.signer.principals[0].as_str()).collect();
    assert_eq!(principals, ["alice@example.com", "ecdsa@example.com", "p384@example.com", "rsa@example.com"]);
    assert_eq!(revision.commits()[1].message, "by ecdsa\n\nMuster-Confirm: x 1\n");
    assert!(revision.commits()[0].signer.fingerprint.starts_with("SHA256:"));
}

#[test]
fn pins_the_anchor_itself() {
    let repo = TestRepository::new();
    let revision = verify(&repo, repo.head(), repo.head()).unwrap();
    assert_eq!(revision.id(), repo.head());
    assert!(revision.commits().is_empty());
}

#[test]
fn lists_every_refused_commit() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let first = repo.commit_unsigned("one");
    let second = repo.commit_as("mallory", "two");
    let rejection = assert_refused(&repo, anchor, second, first, "UnsignedCommit");
    assert_eq!(rejection.commits[1].fault.code(), "UnknownSigner");
    assert!(!rejection.may_pass_later());
}

#[test]
fn refuses_a_key_that_is_not_listed() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let head = repo.commit_as("mallory", "mine");
    assert_refused(&repo, anchor, head, head, "UnknownSigner");
}

#[test]
fn refuses_a_key_listed_for_another_namespace() {
    let repo = TestRepository::new();
    repo.write(
        "policy/allowed_signers",
        &(repo.signer_line("alice", "") + &repo.signer_line("mallory", "namespaces=\"file,!git,*\"")),
    );
    let anchor = repo.commit_as("alice", "mallory may sign files");
    let head = repo.commit_as("mallory", "mine");
    assert_refused(&repo, anchor, head, head, "UnknownSigner");
}

#[test]
fn refuses_a_key_before_its_time() {
    let repo = TestRepository::new();
    repo.write(
        "policy/allowed_signers",
        &(repo.signer_line("alice", "") + &repo.signer_line("mallory", "valid-after=\"202606011201Z\"")),
    );
    let anchor = repo.commit_as("alice", "mallory from a minute after receipt");
    let head = repo.commit_as("mallory", "early");
    assert_refused(&repo, anchor, head, head, "SignerNotValidNow");
    let later = receipt().plus(std::time::Duration::from_secs(60));
    assert!(verify_at(&repo, anchor, head, later).is_ok());
}

#[test]
fn refuses_a_revoked_key_even_when_listed() {
    let repo = TestRepository::new();
    repo.write("policy/allowed_signers", &(repo.signer_line("alice", "") + &repo.signer_line("mallory", "")));
    let listed = repo.commit_as("alice", "list mallory");
    let early = repo.commit_as("mallory", "while it counts");
    repo.write("policy/revoked_signers", &format!("# lost\n{}\n", repo.public_key("mallory")));
    let anchor = repo.commit_as("alice", "revoke mallory");
    // What was signed before the revocation arrives together with it.
    assert_eq!(verify(&repo, listed, anchor).unwrap().commits()[0].id, early);
    let head = repo.commit_as("mallory", "too late");
    assert_refused(&repo, anchor, head, head, "RevokedSigner");
    assert_refused(&repo, listed, head, head, "RevokedSigner");
}

#[test]
fn refuses_a_signature_over_other_bytes() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let signed = repo.raw_commit(&tree, &[anchor], "", "what alice signed\n");
    let armour = repo.sign("alice", "git", &signed);
    let other = repo.raw_commit(&tree, &[anchor], "", "what mallory wants\n");
    let head = repo.hash_object("commit", &crate::test_repository::insert_signature(&other, &[&armour]));
    assert_refused(&repo, anchor, head, head, "BadSignature");
}

#[test]
fn refuses_short_rsa_keys() {
    let repo = TestRepository::new();
    repo.make_key("short", &["-t", "rsa", "-b", "1024"]);
    repo.write("policy/allowed_signers", &(repo.signer_line("alice", "") + &repo.signer_line("short", "")));
    let anchor = repo.commit_as("alice", "list short");
    let head = repo.commit_as("short", "weak");
    assert_refused(&repo, anchor, head, head, "KeyNotAccepted");
}

#[test]
fn refuses_openpgp_and_unknown_signatures_by_name() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "x\n");
    let cases = [
        ("-----BEGIN PGP SIGNATURE-----\n\niHUE\n-----END PGP SIGNATURE-----", "MalformedOpenPgp"),
        ("-----BEGIN SIGNED MESSAGE-----\nMII\n-----END SIGNED MESSAGE-----", "UnknownSignatureFormat"),
        ("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----", "MalformedSignature"),
        ("-----BEGIN SSH SIGNATURE-----\n!!\n-----END SSH SIGNATURE-----", "MalformedSignature"),
    ];
    for (armour, code) in cases {
        let head = repo.hash_object("commit", &crate::test_repository::insert_signature(&raw, &[armour]));
        assert_refused(&repo, anchor, head, head, code);
    }
}
