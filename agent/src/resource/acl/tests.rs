#![allow(clippy::unwrap_used)]

use super::*;

fn entries(texts: &[&str]) -> Vec<AclEntry> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_list_has_the_bytes_that_the_kernel_takes() {
    // What `setfacl -m u:1000:rw-,g:50:r--` leaves on a file of mode 0660.
    let asked = entries(&["group:50:r--", "user:1000:rw-"]);
    let bytes = encode_acl(&asked, 0o660, None, &Accounts::default()).unwrap();
    assert_eq!(
        hex::encode(&bytes),
        "02000000 01000600ffffffff 02000600e8030000 04000600ffffffff 0800040032000000 10000600ffffffff 20000000ffffffff"
            .replace(' ', "")
    );
    assert_eq!(decode_acl(&bytes, &asked, &Accounts::default()).unwrap(), ["user:1000:rw-", "group:50:r--"]);
    assert_eq!(owning_group(&bytes).unwrap(), Some(6));
}

#[test]
fn the_owning_group_keeps_what_it_has_unless_it_is_asked_for() {
    let asked = entries(&["user:1000:rw-"]);
    let bytes = encode_acl(&asked, 0o660, Some(4), &Accounts::default()).unwrap();
    assert_eq!(owning_group(&bytes).unwrap(), Some(4));
    assert_eq!(decode_acl(&bytes, &asked, &Accounts::default()).unwrap(), ["user:1000:rw-"]);
    let asked = entries(&["user:1000:rw-", "group::---"]);
    let bytes = encode_acl(&asked, 0o660, Some(4), &Accounts::default()).unwrap();
    assert_eq!(decode_acl(&bytes, &asked, &Accounts::default()).unwrap(), ["user:1000:rw-", "group::---"]);
}

#[test]
fn who_is_missing_blocks_and_strange_bytes_are_no_list() {
    let asked = entries(&["user:nobody-here:rw-"]);
    let missing = encode_acl(&asked, 0o660, None, &Accounts::default());
    assert!(matches!(missing, Err(ResourceError::Blocked(reason)) if reason == "there is no user nobody-here"));
    for strange in [&b""[..], &[1, 0, 0, 0], &[2, 0, 0, 0, 1]] {
        assert!(decode_acl(strange, &[], &Accounts::default()).is_err());
    }
}
