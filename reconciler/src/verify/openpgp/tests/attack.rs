//! Attacks by commits that `gpg` signs.

use super::keyring::Keyring;
use crate::test_repository::TestRepository;
use crate::verify::tests::{assert_refused, at, verify_at};

#[test]
fn a28_a_backdated_commit_of_an_expired_certificate() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let bob = keys.make_at("20230101T000000", "bob", "ed25519", "sign", "2024-01-01");
    keys.list("bob@example.com", &bob);
    let anchor = repo.commit_as("alice", "list bob");
    // Signed, by its date, while the key was valid.
    let head = keys.commit_at("20230601T000000", &bob, "backdated");
    let rejection = assert_refused(&repo, anchor, head, head, "OpenPgpKeyExpired");
    assert!(rejection.to_string().contains("bob@example.com"), "{rejection}");
    assert!(verify_at(&repo, anchor, head, at("2023-12-31T23:59:59Z")).is_ok());
    assert!(verify_at(&repo, anchor, head, at("2024-01-02T00:00:00Z")).is_err());
}
