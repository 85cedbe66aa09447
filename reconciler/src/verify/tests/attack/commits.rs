//! Commits that nobody who may has signed.

use super::super::merges::both_signers;
use super::super::{assert_refused, at, verify, verify_at};
use crate::test_repository::{ACCESS, TestRepository, insert_signature};

#[test]
fn a27_an_unsigned_commit_under_a_signed_head() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let unsigned = repo.commit_unsigned("unsigned");
    let head = repo.commit_as("alice", "signed on top");
    let rejection = assert_refused(&repo, anchor, head, unsigned, "UnsignedCommit");
    assert_eq!(rejection.commits.len(), 1);
    assert!(rejection.hint().unwrap().contains("commit.gpgSign"));
}

#[test]
fn a28_a_backdated_commit_of_an_expired_key() {
    let repo = TestRepository::new();
    repo.write(
        "policy/allowed_signers",
        &(repo.signer_line("alice", "") + &repo.signer_line("mallory", "valid-before=\"20250101\"")),
    );
    let anchor = repo.commit_as("alice", "mallory until 2025");
    // raw_commit is dated November 2023, when the key was valid.
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "backdated\n");
    let head = repo.store_signed("mallory", "git", &raw);
    let rejection = assert_refused(&repo, anchor, head, head, "SignerNotValidNow");
    assert!(rejection.to_string().contains("mallory@example.com"));
    let in_time = at("2024-12-31T23:59:59Z");
    assert!(verify_at(&repo, anchor, head, in_time).is_ok());
}

#[test]
fn a36_a_signature_of_namespace_file() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "as a file\n");
    let head = repo.store_signed("alice", "file", &raw);
    assert_refused(&repo, anchor, head, head, "WrongNamespace");
    let good = repo.store_signed("alice", "git", &raw);
    assert_eq!(verify(&repo, anchor, good).unwrap().id(), good);
}

#[test]
fn a27_an_unsigned_commit_in_a_side_branch() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("side", "1");
    let side = repo.commit_unsigned("on the side");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("alice", "side");
    assert_refused(&repo, anchor, merge, side, "UnsignedCommit");
}

#[test]
fn a30_a_branch_that_grants_itself_a_signer() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("policy/allowed_signers", &both_signers(&repo));
    repo.commit_as("alice", "propose mallory");
    let own = repo.commit_as("mallory", "already acting on it");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("alice", "side");
    assert_refused(&repo, anchor, merge, own, "UnknownSigner");
}

#[test]
fn a30_a_commit_that_lists_its_own_signer() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.write("policy/allowed_signers", &both_signers(&repo));
    let head = repo.commit_as("mallory", "list myself");
    assert_refused(&repo, anchor, head, head, "UnknownSigner");
}

#[test]
fn a31_an_old_policy_replayed_by_a_merge() {
    let repo = TestRepository::new();
    repo.write("policy/allowed_signers", &both_signers(&repo));
    let listed = repo.commit_as("alice", "list mallory");
    repo.git(&["checkout", "-q", "-b", "upstream"]);
    repo.write("policy/allowed_signers", &repo.signer_line("alice", ""));
    let anchor = repo.commit_as("alice", "remove mallory");
    // mallory commits on the older state, and alice pulls main into it.
    repo.git(&["checkout", "-q", "main"]);
    assert_eq!(repo.head(), listed);
    repo.write("file", "1");
    let stale = repo.commit_as("mallory", "not yet noticed");
    let merge = repo.merge_as("alice", "upstream");
    assert_refused(&repo, anchor, merge, stale, "UnknownSigner");

    repo.git(&["reset", "-q", "--hard", &listed.to_string()]);
    repo.write("file", "2");
    repo.commit_as("alice", "local work");
    let merge = repo.merge_as("alice", "upstream");
    assert_eq!(verify(&repo, anchor, merge).unwrap().mainline().count(), 1);
}

#[test]
fn a29_a_commit_that_leaves_no_usable_policy() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let alice = repo.signer_line("alice", "");
    let cases: [(&str, Option<&str>, &str); 9] = [
        ("policy/revoked_signers", None, "PolicyMissing"),
        ("policy/allowed_signers", None, "PolicyMissing"),
        ("policy/access.yaml", None, "PolicyMissing"),
        ("policy/access.yaml", Some("rules: [{who: [\"*\"], may: [everything]}]\n"), "PolicyMalformed"),
        ("policy/access.yaml", Some("rules: [{who: [bob@example.com], may: [all]}]\n"), "PolicyNobodyLeft"),
        ("policy/allowed_signers", Some("# nobody\n"), "PolicyNobodyLeft"),
        ("policy/allowed_signers", Some("alice@example.com ssh-ed25519\n"), "PolicyMalformed"),
        ("policy/revoked_signers", Some("SHA256:abc\n"), "PolicyMalformed"),
        ("policy/revoked_signers", Some(&repo.public_key("alice")), "PolicyNobodyLeft"),
    ];
    for (path, content, code) in cases {
        match content {
            Some(content) => repo.write(path, content),
            None => drop(repo.git(&["rm", "-q", path])),
        }
        let culprit = repo.commit_as("alice", "break the policy");
        assert_refused(&repo, anchor, culprit, culprit, code);
        // Mending it later in the same push does not help: nobody could
        // judge the commit that mends it.
        repo.write("policy/allowed_signers", &alice);
        repo.write("policy/revoked_signers", "");
        repo.write("policy/access.yaml", ACCESS);
        let head = repo.commit_as("alice", "mend it");
        assert_refused(&repo, anchor, head, culprit, code);
        repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
        // The next good update succeeds.
        repo.write("file", code);
        let good = repo.commit_as("alice", "good");
        assert!(verify(&repo, anchor, good).is_ok());
        repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    }
}

#[test]
fn a29_a_link_in_place_of_a_policy_file() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    // The same blob, only its mode turns into a link.
    let blob = repo.git(&["rev-parse", "HEAD:policy/revoked_signers"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("120000,{blob},policy/revoked_signers")]);
    repo.git(&["config", "user.signingKey", repo.key("alice").to_str().unwrap()]);
    repo.git(&["commit", "-q", "-S", "-m", "link"]);
    let rejection = verify(&repo, anchor, repo.head()).unwrap_err();
    assert!(["PolicyMissing", "LinkLeavesTree"].contains(&rejection.code()), "{rejection}");
}

#[test]
fn a29_an_anchor_without_policy_verifies_nothing() {
    let repo = TestRepository::new();
    repo.git(&["rm", "-q", "policy/revoked_signers"]);
    let anchor = repo.commit_as("alice", "no policy");
    repo.write("policy/revoked_signers", "");
    let head = repo.commit_as("alice", "policy again");
    assert_refused(&repo, anchor, head, anchor, "PolicyMissing");
}

#[test]
fn a33_a_second_signature() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "two signatures\n");
    let alice = repo.sign("alice", "git", &raw);
    let mallory = repo.sign("mallory", "git", &raw);
    for pair in [[alice.as_str(), mallory.as_str()], [mallory.as_str(), alice.as_str()]] {
        let head = repo.hash_object("commit", &insert_signature(&raw, &pair));
        assert_refused(&repo, anchor, head, head, "DoubleSignature");
    }
}

#[test]
fn a33_headers_that_git_does_not_write() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let cases = [
        ("foreign x\n", "ForeignHeader"),
        ("gpgsig-sha256 -----BEGIN\n", "DoubleSignature"),
        ("mergetag object x\n type commit\n", "ForeignHeader"),
        ("\u{1b}[31mred x\n", "ForeignHeader"),
        ("author B <b@example.com> 1700000000 +0000\n", "MalformedCommit"),
        ("encoding latin1\nencoding latin1\n", "MalformedCommit"),
    ];
    for (headers, code) in cases {
        let raw = repo.raw_commit(&tree, &[anchor], headers, "x\n");
        let head = repo.store_signed("alice", "git", &raw);
        let rejection = assert_refused(&repo, anchor, head, head, code);
        assert!(!rejection.to_string().contains('\u{1b}'));
    }
    let raw = repo.raw_commit(&tree, &[anchor], "encoding UTF-8\n", "x\n");
    let head = repo.store_signed("alice", "git", &raw);
    assert!(verify(&repo, anchor, head).is_ok());
}

#[test]
fn a35_a_force_push_to_an_old_signed_commit() {
    let repo = TestRepository::new();
    let old = repo.head();
    let anchor = repo.commit_as("alice", "second");
    assert_refused(&repo, anchor, old, old, "NotDescendant");

    repo.git(&["checkout", "-q", "--detach", &old.to_string()]);
    let fork = repo.commit_as("alice", "another second");
    let rejection = assert_refused(&repo, anchor, fork, fork, "NotDescendant");
    assert!(rejection.hint().unwrap().contains("force push"));
}

#[test]
fn a35_an_unrelated_history() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    let head = repo.commit_as("alice", "other root");
    assert_refused(&repo, anchor, head, head, "NotDescendant");
}

/// An SSH signature whose scalar is raised by the order of the group of Ed25519 (RFC 8032, 5.1): to a careless verifier
/// it is a second signature of the same commit, which then has two ids.
#[test]
fn a22_a_commits_signature_with_its_scalar_raised() {
    const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let repo = TestRepository::new();
    let anchor = repo.head();
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "by alice\n");
    let right = ssh_key::SshSig::from_pem(repo.sign("alice", "git", &raw)).unwrap();
    let mut bytes = right.signature_bytes().to_vec();
    let mut carry = 0;
    for (byte, add) in bytes[32..].iter_mut().zip(hex::decode(ORDER).unwrap()) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let raised = ssh_key::Signature::new(ssh_key::Algorithm::Ed25519, bytes).unwrap();
    let key = right.public_key().clone();
    let raised = ssh_key::SshSig::new(key, "git", ssh_key::HashAlg::Sha512, raised).unwrap();
    let armour = raised.to_pem(ssh_key::LineEnding::LF).unwrap();
    let head = repo.hash_object("commit", &insert_signature(&raw, &[&armour]));
    assert_refused(&repo, anchor, head, head, "BadSignature");
    let good = repo.store_signed("alice", "git", &raw);
    assert_eq!(verify(&repo, anchor, good).unwrap().id(), good);
}
