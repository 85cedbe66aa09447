#![allow(clippy::disallowed_methods)]

use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter_apart;
use muster_schema::resource::{HostEntrySpec, HostnameSpec, LocaleSpec, Meta, ResourceSpec, TimezoneSpec};
use muster_schema::state::ResourceState;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(path).expect("read")
}

fn refuses<S: ResourceSpec>(attributes: Value) {
    let spec: S = serde_json::from_value(attributes.clone()).expect("a spec");
    assert!(spec.contradiction(&Meta::default()).is_some(), "{attributes}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    refuses::<HostEntrySpec>(json!({"addresses": []}));
    refuses::<HostEntrySpec>(json!({"addresses": ["1.2.3"]}));
    refuses::<HostEntrySpec>(json!({"addresses": ["::1%lo evil"]}));
    refuses::<HostEntrySpec>(json!({"addresses": ["::1"], "aliases": ["a\n1.1.1.1 b"]}));
    refuses::<HostnameSpec>(json!({"name": "a b"}));
    refuses::<HostnameSpec>(json!({"name": "a".repeat(65)}));
    refuses::<TimezoneSpec>(json!({"zone": "../../etc/passwd"}));
    refuses::<LocaleSpec>(json!({"lang": "C\nPATH=/tmp"}));
    refuses::<LocaleSpec>(json!({"variables": {"PATH": "x"}}));
    refuses::<LocaleSpec>(json!({"generate": ["de_DE.UTF-8"]}));
}

#[test]
fn entries_of_a_name_change_and_no_others() {
    if !enter_apart("resource::host_entry::tests::entries_of_a_name_change_and_no_others") {
        return;
    }
    let found =
        "# static\n127.0.0.1\tlocalhost\n10.0.0.1 db.example.org db old # the base\n10.0.0.9 other db.example.org\n";
    fs::write("/etc/hosts", found).expect("write");
    let wanted = json!({
        "hosts/db.example.org": {"addresses": ["10.0.0.1", "fd00::5"], "aliases": ["db"]},
        "hosts/web": {"addresses": ["10.0.0.2"]},
    });
    converge_wholly(&wanted);
    let text = "# static\n127.0.0.1\tlocalhost\n10.0.0.1\tdb.example.org db # the base\n10.0.0.9 other db.example.org\n\
                fd00::5\tdb.example.org db\n10.0.0.2\tweb\n";
    assert_eq!(read("/etc/hosts"), text);
    fs::write("/etc/hosts", text.replace("fd00::5", "fd00::6").replace("10.0.0.2\tweb\n", "")).expect("write");
    assert_eq!(differences(&wanted).len(), 2);
    converge_wholly(&wanted);
    assert!(read("/etc/hosts").contains("fd00::5") && !read("/etc/hosts").contains("fd00::6"));
    converge_wholly(&json!({"hosts/web": {"addresses": ["10.0.0.2"]}}));
    let back = read("/etc/hosts");
    assert!(back.contains("10.0.0.1\tdb.example.org db old # the base\n"), "{back}");
    converge_wholly(&json!({"hosts/other": {"meta": {"state": "absent"}}}));
    assert!(!read("/etc/hosts").contains("10.0.0.9") && !read("/etc/hosts").contains("web"));
    converge_wholly(&json!({}));
    assert!(read("/etc/hosts").contains("10.0.0.9\tother db.example.org\n"));
    fs::remove_file("/etc/hosts").expect("remove");
    converge_wholly(&json!({"hosts/web": {"addresses": ["10.0.0.2"]}}));
    assert_eq!(read("/etc/hosts"), "10.0.0.2\tweb\n");
    converge_wholly(&json!({}));
    assert!(!Path::new("/etc/hosts").exists(), "it was not there before");
}

#[test]
fn name_zone_and_language_heal_and_go_back_to_what_was_found() {
    if !enter_apart("resource::host_entry::tests::name_zone_and_language_heal_and_go_back_to_what_was_found") {
        return;
    }
    let kernel = || read("/proc/sys/kernel/hostname").trim().to_owned();
    let zone = || fs::read_link("/etc/localtime").expect("a link");
    fs::write("/etc/hostname", "found\n").expect("write");
    let _ = fs::remove_file("/etc/localtime");
    symlink("/usr/share/zoneinfo/UTC", "/etc/localtime").expect("link");
    fs::write("/etc/timezone", "Etc/UTC\n").expect("write");
    fs::write("/etc/default/locale", "# found\nLANG=C\nLC_TIME=\"C.UTF-8\"\n").expect("write");
    let (live, list) = (kernel(), read("/etc/locale.gen"));
    let wanted = json!({
        "hostname/system": {"name": "web-1.example.org"},
        "timezone/system": {"zone": "Europe/Berlin"},
        "locale/system": {"lang": "C.UTF-8", "variables": {"LC_TIME": "POSIX", "LANGUAGE": "de:en"}},
    });
    converge_wholly(&wanted);
    let right = || {
        assert_eq!((kernel().as_str(), read("/etc/hostname").as_str()), ("web-1.example.org", "web-1.example.org\n"));
        assert_eq!(zone(), Path::new("/usr/share/zoneinfo/Europe/Berlin"));
        assert_eq!(read("/etc/timezone"), "Europe/Berlin\n");
        assert_eq!(read("/etc/default/locale"), "# found\nLANG=C.UTF-8\nLANGUAGE=de:en\nLC_TIME=POSIX\n");
    };
    right();
    fs::write("/proc/sys/kernel/hostname", "drifted").expect("write");
    fs::write("/etc/timezone", "Asia/Tokyo\n").expect("write");
    fs::remove_file("/etc/localtime").expect("remove");
    fs::write("/etc/default/locale", "# found\nLANG=xx\n").expect("write");
    assert_eq!(differences(&wanted).len(), 3);
    converge_wholly(&wanted);
    right();
    converge_wholly(&json!({}));
    assert_eq!((kernel(), read("/etc/hostname")), (live, "found\n".to_owned()));
    assert_eq!((zone().as_path(), read("/etc/timezone").as_str()), (Path::new("/usr/share/zoneinfo/UTC"), "Etc/UTC\n"));
    assert_eq!(read("/etc/default/locale"), "# found\nLANG=C\nLC_TIME=C.UTF-8\n");
    let outcomes = converge(&json!({"timezone/system": {"zone": "Europe/Nowhere"}}));
    assert_eq!(outcome_of(&outcomes, "timezone/system").state, Some(ResourceState::Blocked), "{outcomes:?}");
    converge_wholly(&json!({"locale/system": {"generate": ["de_LI.UTF-8 UTF-8"]}}));
    assert!(read("/etc/locale.gen").lines().any(|line| line == "de_LI.UTF-8 UTF-8"));
    converge_wholly(&json!({}));
    // A locale that cannot be made leaves the list as it was.
    let outcomes = converge(&json!({"locale/system": {"generate": ["xx_YY.UTF-8 UTF-8"]}}));
    assert_eq!(outcome_of(&outcomes, "locale/system").state, Some(ResourceState::Error), "{outcomes:?}");
    assert_eq!(read("/etc/locale.gen"), list);
}
