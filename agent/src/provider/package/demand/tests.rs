use super::VersionDemand;
use crate::provider::apt::AptManager;

#[test]
fn demands_are_met_by_these_versions_and_no_others() {
    let cases: [(&str, &[&str], &[&str]); 6] = [
        ("1.0-1", &["1.0-1", "0:1.0-1"], &["1.0-2", "1:1.0-1"]),
        ("1.2*", &["1.2", "1.22-1", "1:1.2"], &["1.1", "2"]),
        ("1:1.2*", &["1:1.2.3"], &["1.2"]),
        (">= 1.2, < 2", &["1.2", "1.2-1", "1.99"], &["1.1", "2", "1:1.3"]),
        (">1.2,<=2", &["1.3", "2"], &["1.2", "2-1"]),
        ("< 2~", &["1.9"], &["2", "2~rc1"]),
    ];
    for (demand, good, bad) in cases {
        let parsed = VersionDemand::new(demand);
        for version in good {
            assert!(parsed.is_met(version, &AptManager), "{demand}: {version}");
        }
        for version in bad {
            assert!(!parsed.is_met(version, &AptManager), "{demand}: {version}");
        }
    }
    assert_eq!(VersionDemand::new(">1.2,<=2").to_string(), "> 1.2, <= 2");
}
