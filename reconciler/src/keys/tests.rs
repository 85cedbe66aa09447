#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn generated_keys_are_loaded_again() {
    let dir = tempfile::tempdir().unwrap();
    let fleet: FleetName = "shop".parse().unwrap();
    let fingerprint = generate(dir.path(), &fleet, Timestamp(0), None).unwrap();
    // The root's secret key belongs elsewhere; serving goes without it.
    fs::remove_file(dir.path().join("root.key")).unwrap();
    let keys = load(dir.path(), None).unwrap();
    assert_eq!(Sha256Digest::of(keys.root().unwrap().bytes()), fingerprint);
    assert!(generate(dir.path(), &fleet, Timestamp(0), None).is_err(), "keys were overwritten");
}

#[test]
fn a_key_of_no_role_is_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&one, &other] {
        generate(dir.path(), &"shop".parse().unwrap(), Timestamp(0), None).unwrap();
    }
    fs::copy(other.path().join("fresh.key"), one.path().join("fresh.key")).unwrap();
    assert!(matches!(load(one.path(), None), Err(KeysError::NotInRole { role: RoleName::Fresh, .. })));
}
