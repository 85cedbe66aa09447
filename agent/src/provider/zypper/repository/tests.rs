#![allow(clippy::disallowed_methods)]

use super::ZypperRepositories;
use crate::provider::package::test_scenario::TestArchive;
use crate::provider::repository::RepositoryForm;
use crate::provider::repository::test_scenario::{TestKey, run_foreign_signature, run_repository};
use crate::provider::rpm::test_archive::RpmArchive;
use crate::test_machine::enter_with;
use serde_json::json;
use std::process::Command;

const NEEDS: [&str; 4] = ["/usr/bin/zypper", "/usr/bin/rpmbuild", "/usr/bin/createrepo_c", "/usr/bin/gpg"];

#[test]
fn a_file_never_leaves_out_how_it_is_verified() {
    let render = |attributes| {
        let spec = serde_json::from_value(attributes).expect("a spec");
        ZypperRepositories.render("r", &spec).file
    };
    let plain = render(json!({"url": "http://a.example/", "key_file": "/key", "priority": 7, "verify": "both"}));
    assert_eq!(
        plain,
        "# Managed by muster: changes here are taken back.\n[r]\nname=r\nbaseurl=http://a.example/\nenabled=1\n\
         gpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file:///key\npriority=7\npkg_gpgcheck=1\nautorefresh=1\n"
    );
    assert!(
        render(json!({"url": "http://a.example/", "key_file": "/key"})).contains("\ngpgcheck=1\nrepo_gpgcheck=0\n")
    );
    assert!(render(json!({"url": "http://a.example/", "trusted": true})).contains("\ngpgcheck=0\nrepo_gpgcheck=0\n"));
}

#[test]
fn a_repository_comes_before_its_packages_and_goes_after_them() {
    let test = "provider::zypper::repository::tests::a_repository_comes_before_its_packages_and_goes_after_them";
    if !enter_with(&NEEDS, test) {
        return;
    }
    let key = TestKey::make("/tmp/key");
    let archive =
        RpmArchive::signed("ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\nVERSION_ID=15.5\n", &["zypper"], &key);
    let keys = || {
        let output = Command::new("rpm").args(["-qa", "gpg-pubkey*"]).output().expect("rpm");
        String::from_utf8(output.stdout).expect("text")
    };
    let place = json!({"url": "file:///var/cache/archive/packages", "priority": 50});
    let places = ["/etc/zypp/repos.d", "/etc/pki"];
    run_foreign_signature(&place, &|| archive.installed("probe"), &places);
    run_repository(&key, &place, &|| archive.installed("probe"), &places);
    assert_eq!(keys(), "", "the key went with it");
}
