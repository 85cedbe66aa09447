//! The form of a signature: one packet in one armour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::keyring::{Keyring, SIGNED};
use crate::test_repository::{TestRepository, insert_signature};
use crate::verify::tests::{assert_refused, verify};

fn armour(packets: &[u8]) -> String {
    let lines: Vec<String> =
        STANDARD.encode(packets).as_bytes().chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    format!("-----BEGIN PGP SIGNATURE-----\n\n{}\n-----END PGP SIGNATURE-----\n", lines.join("\n"))
}

#[test]
fn refuses_what_is_not_one_signature_in_one_armour() {
    let repo = TestRepository::new();
    let keys = Keyring::new(&repo);
    let bob = keys.make("bob");
    keys.list("bob", &bob);
    let anchor = repo.commit_as("alice", "list bob");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = repo.raw_commit(&tree, &[anchor], "", "x\n");
    let text = std::str::from_utf8(&raw).unwrap();
    let packet = keys.gpg(SIGNED, &["-bsu", &bob], text);
    let commit = |signature: &str| repo.hash_object("commit", &insert_signature(&raw, &[signature]));
    let good = armour(&packet);
    for passes in [&good, &good.replace("\n\n", "\nComment: by hand\n\n")] {
        let head = commit(passes);
        verify(&repo, anchor, head).unwrap();
    }
    let standalone = keys.gpg(SIGNED, &["--sign", "--local-user", &bob, "--compress-algo", "none"], text);
    let mut old_hash = packet.clone();
    // Version, type, algorithm, digest: MD5.
    old_hash[5] = 1;
    let mut type_changed = packet.clone();
    // A certification of a user id.
    type_changed[3] = 0x13;
    let cases = [
        ("two signatures", armour(&[&packet[..], &packet[..]].concat()), "MalformedOpenPgp"),
        ("a byte after it", armour(&[&packet[..], &[0xc2]].concat()), "MalformedOpenPgp"),
        ("cut off", armour(&packet[..packet.len() - 1]), "MalformedOpenPgp"),
        ("nothing", armour(&[]), "MalformedOpenPgp"),
        ("a signed message", armour(&standalone), "MalformedOpenPgp"),
        ("another type", armour(&type_changed), "MalformedOpenPgp"),
        ("MD5", armour(&old_hash), "WeakDigest"),
        ("text after the armour", format!("{good}more"), "MalformedOpenPgp"),
        ("two armours", format!("{good}{good}"), "MalformedOpenPgp"),
        ("another armour", good.replace("SIGNATURE", "MESSAGE"), "MalformedOpenPgp"),
        ("no empty line", good.replace("\n\n", "\n"), "MalformedOpenPgp"),
        ("too large", armour(&vec![0; 20_000]), "MalformedOpenPgp"),
    ];
    for (case, signature, code) in cases {
        let head = commit(&signature);
        let rejection = verify(&repo, anchor, head).expect_err(case);
        assert_eq!(rejection.code(), code, "{case}: {rejection}");
    }
    assert_refused(&repo, anchor, commit(&armour(&packet[1..])), commit(&armour(&packet[1..])), "MalformedOpenPgp");
}
