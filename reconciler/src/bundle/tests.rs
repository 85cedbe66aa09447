#![allow(clippy::unwrap_used)]
use super::*;
use crate::io::signer::FileSigner;

#[test]
fn a_manifest_is_a_function_of_its_inputs() {
    let dir = tempfile::tempdir().unwrap();
    let signer = FileSigner::generate(&dir.path().join("render"), "render", None).unwrap();
    let origin = Origin {
        fleet: "shop".parse().unwrap(),
        epoch: 1,
        source: Source { commit: "0".repeat(40).parse().unwrap(), facts_commit: None, policy_version: 0 },
    };
    let host = HostIdentity { id: "web-1".parse().unwrap(), key: signer.public_key() };
    let pack = |serial| {
        sign_manifest(pack_manifest(&origin, host.clone(), serial, Vec::new(), BTreeMap::new()), &signer).unwrap()
    };
    let (one, again, later) = (pack(1), pack(1), pack(2));
    assert_eq!(one.bytes(), again.bytes());
    assert_ne!(one.digest(), later.digest());
    assert_eq!(one.content(), later.content(), "a serial is no content");
    assert_eq!(one.signature().verify(one.bytes(), &signer.public_key()), Ok(()));
}

#[test]
fn serials_rise_whatever_the_clock_says() {
    assert_eq!(next_serial(5, Timestamp(100)), 100);
    assert_eq!(next_serial(100, Timestamp(5)), 101);
    assert_eq!(next_serial(u64::MAX, Timestamp(5)), u64::MAX);
}
