//! Commits that real `git` and `gpg` sign.
#![allow(clippy::disallowed_methods, reason = "reads what gpg wrote")]

use muster_schema::Timestamp;

use super::keyring::{Keyring, SIGNED, THEN};
use crate::io::git::{
    CommitAuthor, GpgSigner, OperatorSigner, SshKeygenSigner, commit_signed, load_signer, open_repository,
};
use crate::test_repository::{TestRepository, insert_signature};
use crate::verify::tests::{assert_refused, verify};

/// A repository that lists the certificate of `bob` beside alice's SSH key; his fingerprint and the anchor.
fn listed<'r>(repo: &'r TestRepository, keys: &Keyring<'r>) -> (String, git2::Oid) {
    let bob = keys.make("bob");
    keys.list("bob@example.com", &bob);
    (bob, repo.commit_as("alice", "list bob"))
}

#[test]
fn passes_histories_of_ssh_and_openpgp() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, anchor) = listed(&repo, &keys);
    repo.write("file", "1");
    keys.commit(&bob, "by bob");
    repo.write("file", "2");
    repo.commit_as("alice", "by alice");
    repo.write("file", "3");
    let head = keys.commit(&bob, "by bob again");

    let revision = verify(&repo, anchor, head).unwrap();
    let signers: Vec<&str> = revision.mainline().map(|commit| commit.signer.principals[0].as_str()).collect();
    assert_eq!(signers, ["bob@example.com", "alice@example.com", "bob@example.com"]);
    assert_eq!(revision.commits()[0].signer.fingerprint, bob);
    repo.git(&["-c", "gpg.format=openpgp", "verify-commit", &head.to_string()]);
}

#[test]
fn passes_what_our_own_commands_sign_by_gpg() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, anchor) = listed(&repo, &keys);
    let program = keys.program(&format!("--faked-system-time={SIGNED}"));
    for (name, value) in [("gpg.format", "openpgp"), ("user.signingKey", &*bob)] {
        repo.git(&["config", name, value]);
    }
    repo.git(&["config", "gpg.program", program.to_str().unwrap()]);

    let signer = load_signer(&repo.work()).unwrap().unwrap();
    assert_eq!(signer, OperatorSigner::OpenPgp(GpgSigner { program, key: bob.clone() }));
    let author =
        CommitAuthor { name: "Bob".into(), email: "bob@example.com".into(), time: Timestamp(1_780_000_000_000) };
    let change = [("file".to_owned(), Some(b"1".to_vec()))].into();
    let open = open_repository(&repo.work()).unwrap();
    let head = commit_signed(&open, "main", Some(anchor), &change, "by bob", &author, &signer).unwrap();
    repo.git(&["verify-commit", &head.to_string()]);
    assert_eq!(verify(&repo, anchor, head).unwrap().commits()[0].signer.fingerprint, bob);

    // A key in a file is one of SSH; and what nobody here verifies is not signed by.
    let key = repo.key("alice");
    repo.git(&["config", "user.signingKey", key.to_str().unwrap()]);
    assert_eq!(load_signer(&repo.work()).unwrap(), Some(OperatorSigner::Ssh(SshKeygenSigner { key })));
    repo.git(&["config", "user.signingKey", "bob"]);
    repo.git(&["config", "gpg.format", "x509"]);
    let refused = load_signer(&repo.work()).unwrap_err().to_string();
    assert!(refused.contains("gpg.format is 'x509'"), "{refused}");
}

#[test]
fn passes_every_kind_of_key_that_counts() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let kinds = ["rsa2048", "rsa3072", "nistp256", "nistp384", "nistp521", "ed25519"];
    let made = kinds.map(|kind| keys.make_at(THEN, kind, kind, "sign", "never"));
    for (kind, key) in kinds.iter().zip(&made) {
        keys.list(kind, key);
    }
    let anchor = repo.commit_as("alice", "list them");
    for key in &made {
        keys.commit(key, "mine");
    }
    assert_eq!(verify(&repo, anchor, repo.head()).unwrap().commits().len(), kinds.len());
}

#[test]
fn an_openpgp_key_alone_may_be_all_the_signers() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, _) = listed(&repo, &keys);
    repo.write("policy/allowed_signers", "");
    let anchor = repo.commit_as("alice", "bob alone");
    let head = keys.commit(&bob, "mine");
    verify(&repo, anchor, head).unwrap();
    repo.git(&["rm", "-q", "-r", "policy/openpgp"]);
    let head = keys.commit(&bob, "nobody");
    assert_refused(&repo, anchor, head, head, "PolicyNobodyLeft");
}

#[test]
fn refuses_a_key_that_is_not_listed() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (_, anchor) = listed(&repo, &keys);
    let other = keys.make("other");
    let head = keys.commit(&other, "mine");
    let rejection = assert_refused(&repo, anchor, head, head, "UnknownOpenPgpKey");
    assert!(rejection.to_string().contains(&other), "{rejection}");
    assert!(rejection.hint().unwrap().contains("policy/openpgp/"));
}

#[test]
fn a_branch_lists_no_key_for_itself() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let anchor = repo.head();
    let bob = keys.make("bob");
    keys.list("bob@example.com", &bob);
    let head = keys.commit(&bob, "list myself");
    assert_refused(&repo, anchor, head, head, "UnknownOpenPgpKey");
}

#[test]
fn an_expiry_that_was_put_off_counts() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let bob = keys.make_at("20230101T000000", "bob", "ed25519", "sign", "2026-05-10");
    keys.gpg(THEN, &["--quick-set-expire", &bob, "2027-01-01"], "");
    keys.list("bob@example.com", &bob);
    let anchor = repo.commit_as("alice", "list bob");
    let head = keys.commit(&bob, "in time");
    assert!(verify(&repo, anchor, head).is_ok());
}

#[test]
fn refuses_a_revoked_key_whatever_its_date() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, anchor) = listed(&repo, &keys);
    let head = keys.commit(&bob, "not revoked yet");
    assert!(verify(&repo, anchor, head).is_ok());

    let file = repo.path().join(format!(".gnupg/openpgp-revocs.d/{bob}.rev"));
    let revocation = std::fs::read_to_string(file).unwrap().replace(":-----BEGIN", "-----BEGIN");
    let revoked = keys.copy();
    revoked.gpg("20260502T000000", &["--import"], &revocation);
    revoked.list("bob@example.com", &bob);
    let anchor = repo.commit_as("alice", "bob lost his key");
    let head = keys.commit(&bob, "dated before the revocation");
    assert_refused(&repo, anchor, head, head, "OpenPgpKeyRevoked");
}

#[test]
fn refuses_a_signature_over_other_bytes() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, anchor) = listed(&repo, &keys);
    let head = keys.commit(&bob, "what bob signed");
    let raw = repo.git(&["cat-file", "commit", &head.to_string()]) + "\n";
    let forged = repo.hash_object("commit", raw.replace("what bob signed", "what mallory wants").as_bytes());
    assert_refused(&repo, anchor, forged, forged, "BadSignature");
    let same = repo.hash_object("commit", raw.as_bytes());
    assert_eq!(same, head);
}

#[test]
fn refuses_a_second_signature() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, anchor) = listed(&repo, &keys);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "two\n");
    let good = keys.sign(&bob, &raw);
    let head = repo.hash_object("commit", &insert_signature(&raw, &[&good]));
    assert!(verify(&repo, anchor, head).is_ok());
    for second in [&good, &repo.sign("alice", "git", &raw)] {
        let head = repo.hash_object("commit", &insert_signature(&raw, &[&good, second]));
        assert_refused(&repo, anchor, head, head, "DoubleSignature");
    }
}

#[test]
fn refuses_signatures_from_the_future_and_those_that_ended() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, anchor) = listed(&repo, &keys);
    // Receipt is on 2026-06-01 at noon.
    let head = keys.commit_at("20260602T115900", &bob, "a clock that is fast");
    assert!(verify(&repo, anchor, head).is_ok());
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    let head = keys.commit_at("20260602T120100", &bob, "the future");
    assert_refused(&repo, anchor, head, head, "OpenPgpSignatureTime");
    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    let ended = format!("--faked-system-time={SIGNED} --default-sig-expire=2026-05-20");
    let head = keys.commit_with(&ended, &bob, "ended");
    assert_refused(&repo, anchor, head, head, "OpenPgpSignatureTime");
}

#[test]
fn refuses_weak_digests_and_weak_keys() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, _) = listed(&repo, &keys);
    let short = keys.make_at(THEN, "short", "rsa1024", "sign", "never");
    keys.list("short", &short);
    let dsa = keys.make_at(THEN, "dsa", "dsa2048", "sign", "never");
    keys.list("dsa", &dsa);
    let anchor = repo.commit_as("alice", "list them");
    let weak = format!("--faked-system-time={SIGNED} --digest-algo SHA1");
    let head = keys.commit_with(&weak, &bob, "sha1");
    assert_refused(&repo, anchor, head, head, "WeakDigest");
    for key in [&short, &dsa] {
        repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
        let head = keys.commit(key, "weak");
        assert_refused(&repo, anchor, head, head, "KeyNotAccepted");
    }
}

#[test]
fn a_signature_on_text_counts_as_well() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let (bob, anchor) = listed(&repo, &keys);
    let text = format!("--faked-system-time={SIGNED} --textmode");
    let head = keys.commit_with(&text, &bob, "as text");
    assert!(verify(&repo, anchor, head).is_ok());
}
