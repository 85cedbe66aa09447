//! The state repository of the tests is one that git itself accepts.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use muster_tests::fleet::StateRepository;

#[test]
fn commits_are_signed_by_the_operator_and_reach_the_bare_repository() {
    let folder = tempfile::tempdir().unwrap();
    let repository = StateRepository::make(folder.path()).unwrap();
    repository.write("policy/allowed_signers", repository.allowed_signer().unwrap()).unwrap();
    let first = repository.publish("Begin").unwrap();
    repository.write("muster.yaml", "schema: 1\n").unwrap();
    let second = repository.publish("Name the fleet").unwrap();
    assert_eq!(repository.git_bare(&["rev-parse", "main"]).unwrap(), second);
    assert_eq!(repository.read("main", "muster.yaml").as_deref(), Some("schema: 1"));

    let signers = repository.work().join("policy/allowed_signers");
    let signers = format!("gpg.ssh.allowedSignersFile={}", signers.display());
    repository.git(&["-c", &signers, "verify-commit", &first, &second]).unwrap();

    let reverted = repository.publish_revert(&second).unwrap();
    repository.git(&["-c", &signers, "verify-commit", &reverted]).unwrap();
    assert_eq!(repository.read("main", "muster.yaml"), None);

    repository.write("x", "").unwrap();
    let bad = repository.commit_unsigned("Slip in").unwrap();
    assert!(repository.git(&["-c", &signers, "verify-commit", &bad]).is_err());
    repository.rewind(&second).unwrap();
    assert_eq!(repository.git_bare(&["rev-parse", "main"]).unwrap(), second);
}
