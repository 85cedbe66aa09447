#![allow(clippy::unwrap_used)]
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;

#[test]
fn a_key_signs_after_it_was_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let stem = dir.path().join("fresh");
    let made = FileSigner::generate(&stem, "fresh", None).unwrap();
    let read = FileSigner::load(&stem.with_extension("key"), None).unwrap();
    assert_eq!(made.public_key(), read.public_key());
    assert_eq!(read.sign(b"hello", "head").unwrap().verify(b"hello", &made.public_key()), Ok(()));
    let mode = std::fs::metadata(stem.with_extension("key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(FileSigner::generate(&stem, "fresh", None).is_err(), "a key was overwritten");
}

#[test]
fn an_encrypted_key_needs_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let stem = dir.path().join("render");
    FileSigner::generate(&stem, "render", Some("open")).unwrap();
    let file = stem.with_extension("key");
    assert!(FileSigner::load(&file, None).is_err());
    assert!(FileSigner::load(&file, Some("wrong")).is_err());
    assert!(FileSigner::load(&file, Some("open")).is_ok());
}

#[test]
fn the_minisign_program_agrees() {
    if Command::new("minisign").arg("-v").output().is_err() {
        eprintln!("SKIPPED: minisign is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let stem = dir.path().join("fresh");
    let signer = FileSigner::generate(&stem, "fresh", None).unwrap();
    let file = dir.path().join("head.json");
    std::fs::write(&file, b"{}").unwrap();
    std::fs::write(dir.path().join("head.sig"), signer.sign(b"{}", "head").unwrap().text()).unwrap();
    let verify = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let mut minisign = Command::new("minisign");
        minisign.args(["-VHm"]).arg(&file).arg("-x").arg(dir.path().join("head.sig"));
        minisign.arg("-p").arg(stem.with_extension("pub")).output().unwrap().status.success()
    };
    assert!(verify(b"{}"));
    assert!(!verify(b"{ }"));
}
