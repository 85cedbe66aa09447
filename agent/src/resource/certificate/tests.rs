//! Judging by a clock that the test sets.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::x509::{
    Fault, is_request_for, judge_certificate, load_certificate, load_key, make_certificate, make_key, make_request,
    next_change,
};
use crate::io::clock;
use crate::test_daemon::{Daemon, wait_for};
use crate::test_machine::enter_booted;
use muster_schema::Timestamp;
use muster_schema::resource::{CertificateSpec, KeyType, Meta, ResourceSpec};
use serde_json::json;
use std::fs;
use std::process::Command;

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
        let next = |days: u64| next_change(&spec, &found, Timestamp(NOW + days * DAY));
        let day = |days: u64| Some(Timestamp(NOW + days * DAY));
        assert_eq!((next(0), next(59), next(60), next(90)), (day(60), day(60), day(90), None));
        assert_eq!(next_change(&spec, &found, Timestamp(NOW - DAY)), day(0));
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

/// Programs that write down how often they began and how often they were told to read their settings.
const PROGRAM: &str = "[Service]
ExecStartPre=/bin/sh -c 'echo began >>/run/%N'
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'echo read >>/run/%N'
";

#[test]
fn is_renewed_when_its_time_comes_and_services_are_told() {
    if !enter_booted("resource::certificate::tests::is_renewed_when_its_time_comes_and_services_are_told") {
        return;
    }
    for name in ["reads", "restarts"] {
        fs::write(format!("/etc/systemd/system/{name}.service"), PROGRAM).unwrap();
    }
    Command::new("systemctl").arg("daemon-reload").status().unwrap();
    // It is valid for 90 days, and in 5 seconds one day of them is left.
    let spec = CertificateSpec { renew_before: Some(1), ..spec(&["web.example.org"]) };
    let key = make_key(KeyType::EcdsaP256).unwrap();
    let begun = Timestamp(clock::now().0 - 89 * DAY + 5_000);
    let first = make_certificate(&spec, &key, begun, [1; 16]).unwrap();
    fs::write("/etc/web.key", key.serialize_pem()).unwrap();
    fs::write("/etc/web.pem", &first).unwrap();
    let certificate = || fs::read_to_string("/etc/web.pem").unwrap();
    let told = |name: &str| fs::read_to_string(format!("/run/{name}")).unwrap_or_default();

    let mut daemon = Daemon::begin();
    daemon.follow(&json!({
        "certificates/web": spec,
        "services/reads": {"running": true, "meta": {"reload_on": ["certificates/web"]}},
        "services/restarts": {"running": true, "meta": {"restart_on": ["certificates/web"]}},
    }));
    assert_eq!((certificate(), told("reads"), told("restarts")), (first.clone(), "began\n".into(), "began\n".into()));
    wait_for("a new certificate", || certificate() != first);
    let found = load_certificate(&certificate()).unwrap();
    assert_eq!(judge_certificate(&spec, &key, &found, clock::now()), None);
    wait_for("the services", || told("reads") == "began\nread\n" && told("restarts") == "began\nbegan\n");
    daemon.end();
}
