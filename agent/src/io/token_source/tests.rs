#![allow(clippy::unwrap_used)]
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use minisign::KeyPair;

use super::*;

#[test]
fn a_token_is_read_from_a_file_that_is_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let secret = TokenSecret::of_secret_key(&KeyPair::generate_unencrypted_keypair().unwrap().sk.to_bytes()).unwrap();
    fs::write(&path, format!("{}\n", secret.to_text())).unwrap();
    for mode in [0o644, 0o640, 0o604] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(matches!(load_token(Some(&path)), Err(TokenSourceError::Exposed(_))), "{mode:o}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(load_token(Some(&path)).unwrap(), Some(secret));
    fs::write(&path, "hello\n").unwrap();
    assert!(matches!(load_token(Some(&path)), Err(TokenSourceError::Bad { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(load_token(Some(&path)), Err(TokenSourceError::Unreadable { .. })));
}
