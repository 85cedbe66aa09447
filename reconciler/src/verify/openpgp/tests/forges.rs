//! A Git host whose key is an OpenPGP one.

use super::keyring::Keyring;
use crate::test_repository::TestRepository;
use crate::verify::tests::{assert_refused, verify};

#[test]
fn a_clean_merge_by_an_openpgp_forge_passes_and_nothing_else() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let forge = keys.make("web-flow");
    keys.list("web-flow@forge.example.com", &forge);
    repo.write("policy/access.yaml", "forge: [web-flow@forge.example.com]\nrules: [{who: [\"*\"], may: [all]}]\n");
    let anchor = repo.commit_as("alice", "list the forge");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("file", "1");
    repo.commit_as("alice", "on the side");
    repo.git(&["checkout", "-q", "main"]);
    let merge = || repo.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    merge();
    let clean = keys.commit(&forge, "Merge pull request #1");
    assert_eq!(verify(&repo, anchor, clean).unwrap().id(), clean);

    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    repo.git(&["merge", "-q", "--squash", "side"]);
    let squash = keys.commit(&forge, "squashed");
    assert_refused(&repo, anchor, squash, squash, "ForgeNotCleanMerge");

    repo.git(&["reset", "-q", "--hard", &anchor.to_string()]);
    merge();
    repo.write("evil", "1");
    let evil = keys.commit(&forge, "Merge pull request #1");
    assert_refused(&repo, anchor, evil, evil, "ForgeNotCleanMerge");
}
