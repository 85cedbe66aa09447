//! Judging by a clock that the test sets.

#![allow(clippy::unwrap_used)]

use super::x509::{
    Fault, is_request_for, judge_certificate, load_certificate, load_key, make_certificate, make_key, make_request,
};
use muster_schema::Timestamp;
use muster_schema::resource::{CertificateSpec, KeyType, Meta, ResourceSpec};

const NOW: u64 = 1_800_000_000_000;
const DAY: u64 = 24 * 60 * 60 * 1000;

fn spec(names: &[&str]) -> CertificateSpec {
    CertificateSpec {
        key: Some("/etc/web.key".to_owned()),
        certificate: Some("/etc/web.pem".to_owned()),
        names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        days: Some(90),
        renew_before: Some(30),
        ..CertificateSpec::default()
    }
}

#[test]
fn is_due_by_the_clock_and_for_what_it_says() {
    let spec = spec(&["web.example.org", "2001:0db8::1", "192.0.2.7"]);
    for kind in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Ed25519] {
        let key = load_key(&make_key(kind).unwrap().serialize_pem()).unwrap();
        let made = make_certificate(&spec, &key, Timestamp(NOW), [0xff; 16]).unwrap();
        let found = load_certificate(&made).unwrap();
        let at = |days: u64| judge_certificate(&spec, &key, &found, Timestamp(NOW + days * DAY));
        assert_eq!(at(0), None);
        assert_eq!(at(59), None);
        assert!(matches!(at(60), Some(Fault::Due(_))), "{:?}", at(60));
        assert!(matches!(at(90), Some(Fault::Unfit(_))), "{:?}", at(90));
        let before = judge_certificate(&spec, &key, &found, Timestamp(NOW - DAY));
        assert!(matches!(before, Some(Fault::Waits(_))), "a clock that went wrong replaces nothing: {before:?}");
        let other = CertificateSpec { names: Some(vec!["other.example.org".to_owned()]), ..spec.clone() };
        assert!(matches!(judge_certificate(&other, &key, &found, Timestamp(NOW)), Some(Fault::Unfit(_))));
        let shorter = CertificateSpec { days: Some(60), ..spec.clone() };
        assert!(matches!(judge_certificate(&shorter, &key, &found, Timestamp(NOW)), Some(Fault::Unfit(_))));
        let stranger = make_key(kind).unwrap();
        assert!(matches!(judge_certificate(&spec, &stranger, &found, Timestamp(NOW)), Some(Fault::Unfit(_))));
        let request = make_request(&spec, &key).unwrap();
        assert!(is_request_for(&request, &spec, &key));
        assert!(!is_request_for(&request, &spec, &stranger) && !is_request_for(&request, &other, &key));
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let good = spec(&["web.example.org"]);
    assert_eq!(good.contradiction(&Meta::default()), None);
    let bad = [
        (spec(&[]), "needs 1 to"),
        (spec(&["web example"]), "neither a name of a host nor an address"),
        (CertificateSpec { key: None, ..good.clone() }, "needs a 'key'"),
        (CertificateSpec { key: good.certificate.clone(), ..good.clone() }, "one path for two"),
        (CertificateSpec { renew_before: Some(90), ..good.clone() }, "always be due"),
        (CertificateSpec { request: Some("/etc/web.csr".to_owned()), ..good.clone() }, "the authority says"),
    ];
    for (spec, said) in bad {
        let reason = spec.contradiction(&Meta::default()).unwrap_or_default();
        assert!(reason.contains(said), "{reason}");
    }
}
