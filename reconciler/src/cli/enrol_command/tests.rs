#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use super::*;
use crate::io::key_folder::KeyFolder;
use crate::keys::{NextRoot, RootSigners};

#[test]
fn the_line_can_be_pasted_into_a_shell() {
    let fingerprint = Sha256Digest::of(b"root");
    let line = command_line("https://muster.example", Some("amqp://u:it's$x@broker/v"), fingerprint).unwrap();
    let expected = format!(
        "muster-agent run --url https://muster.example --root-fingerprint {fingerprint} --bus 'amqp://u:it'\\''s$x@broker/v'"
    );
    assert_eq!(line, expected);
}

#[test]
fn addresses_that_the_agent_would_refuse_are_refused_here() {
    let fingerprint = Sha256Digest::of(b"root");
    assert!(command_line("muster.example", None, fingerprint).is_err());
    assert!(command_line("https://muster.example", Some("http://broker"), fingerprint).is_err());
}

#[test]
fn the_fingerprint_is_that_of_the_newest_root() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = "shop".parse().unwrap();
    let made = keys::generate(dir.path(), &fleet, muster_schema::Timestamp(1), None).unwrap();
    assert_eq!(keys::load_root_fingerprint(dir.path()).unwrap(), Some(made));
    let folder = KeyFolder::new(dir.path());
    let (current, _) = folder.load_roots().unwrap().remove(0);
    let next = NextRoot::after(current.root(), muster_schema::Timestamp(2));
    let signers = RootSigners::load(&folder, current.root(), &[], None).unwrap();
    let (root, signatures) = signers.sign(&current, next.root()).unwrap();
    folder.keep_root(2, root.bytes(), &signatures).unwrap();
    let newest = Sha256Digest::of(&std::fs::read(dir.path().join("2.root.json")).unwrap());
    assert_eq!(keys::load_root_fingerprint(dir.path()).unwrap(), Some(newest));
    assert!(keys::load_root_fingerprint(std::path::Path::new("/nonexistent")).is_err());
}
