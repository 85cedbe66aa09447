//! Policy files fail closed, and no commit may leave them unusable.

use super::{assert_refused, at};
use crate::test_repository::TestRepository;
use crate::verify::{parse_allowed_signers, parse_revoked_signers};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

#[test]
fn reads_what_openssh_documents() {
    let text = format!(
        "# comment\n\n  alice@example.com,*@ops.example.com {KEY} a comment\n\
         \"bob b@example.com\" namespaces=\"git,file\",valid-after=\"20260101\",valid-before=\"20270101120000Z\" {KEY}\n\
         carol\tNAMESPACES=\"g?t\"  {KEY}\n"
    );
    let (signers, faults) = parse_allowed_signers(&text);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(signers[0].principals, ["alice@example.com", "*@ops.example.com"]);
    assert_eq!(signers[0].line, 3);
    assert!(signers[0].covers_namespace("anything"));
    assert_eq!(signers[1].principals, ["bob b@example.com"]);
    assert_eq!(signers[1].valid_after, Some(at("2026-01-01T00:00:00Z")));
    assert_eq!(signers[1].valid_before, Some(at("2027-01-01T12:00:00Z")));
    assert!(signers[1].covers_namespace("git") && !signers[1].covers_namespace("gitx"));
    assert!(signers[2].covers_namespace("git") && !signers[2].covers_namespace("gt"));
}

#[test]
fn names_each_faulty_line() {
    let cases = [
        "alice@example.com",
        "alice@example.com ssh-ed25519 AAAA",
        "alice@example.com ssh-unknown AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti",
        "!alice@example.com KEY",
        "alice@example.com,,bob KEY",
        "alice@example.com namespaces=git KEY",
        "alice@example.com namespaces=\"\" KEY",
        "alice@example.com namespaces=\"git KEY",
        "alice@example.com namespaces=\"git\",namespaces=\"git\" KEY",
        "alice@example.com valid-before=\"tomorrow\" KEY",
        "alice@example.com valid-before=\"20261301\" KEY",
        "alice@example.com valid-after=\"2026010112\" KEY",
        "alice@example.com valid-after=\"20270101\",valid-before=\"20260101\" KEY",
        "alice@example.com cert-authority KEY",
        "alice@example.com cert-authority, KEY",
        "alice@example.com unheard-of KEY",
        "alice@example.com valid-after=\"äöüä\" KEY",
    ];
    for case in cases {
        let text = format!("\n{}\n", case.replace("KEY", KEY));
        let (signers, faults) = parse_allowed_signers(&text);
        assert!(signers.is_empty(), "{case}");
        assert_eq!(faults.len(), 1, "{case}");
        assert_eq!(faults[0].0, 2);
    }
}

#[test]
fn reads_revoked_keys() {
    let (keys, faults) = parse_revoked_signers(format!("# gone\n{KEY} old laptop\n\n").as_bytes());
    assert_eq!((keys.len(), faults.len()), (1, 0));
    for bad in [b"SSHKRL\n\0rest".as_slice(), b"\xff\xfe", b"ssh-ed25519\n"] {
        let (keys, faults) = parse_revoked_signers(bad);
        assert_eq!((keys.len(), faults.len()), (0, 1));
    }
}

#[test]
fn a_fault_of_the_rules_names_line_and_reason() {
    let repo = TestRepository::new();
    let anchor = repo.head();
    repo.write("policy/access.yaml", "rules:\n  - who: [\"team:web\"]\n    may: [all]\n");
    let head = repo.commit_as("alice", "no such team");
    let rejection = assert_refused(&repo, anchor, head, head, "PolicyMalformed");
    assert!(rejection.to_string().contains("policy/access.yaml:2: there is no team 'web'"), "{rejection}");
}
