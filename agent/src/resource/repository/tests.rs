use crate::provider::repository::all_forms;
use muster_schema::resource::{Existence, Meta, RepositorySpec, ResourceSpec};
use serde_json::json;

fn told(attributes: serde_json::Value) -> Option<String> {
    serde_json::from_value::<RepositorySpec>(attributes).expect("a spec").contradiction(&Meta::default())
}

#[test]
fn every_file_of_a_repository_belongs_to_it_alone() {
    let spec = RepositorySpec::default();
    let owned = RepositorySpec::paths_of("x");
    for form in all_forms() {
        let places = form.places("x", &spec);
        assert!(owned.contains(&places.file), "{places:?}");
        assert!(owned.contains(&places.key) || form.manager().name() == "apk", "{places:?}");
        assert!(places.preferences.is_none_or(|path| owned.contains(&path)));
    }
}

#[test]
fn nothing_is_left_unverified_by_leaving_something_away() {
    let url = "https://a.example/";
    let fingerprint = "9DC8 5822 9FC7 DD38 854A  E2D8 8D81 803C 0EBF CD88";
    let key = json!({"sha256": "0".repeat(64), "size": 1});
    assert!(told(json!({"url": url})).expect("refused").contains("trusted: true"));
    assert!(told(json!({"url": url, "trusted": false})).is_some());
    assert!(told(json!({"url": url, "key": key})).expect("refused").contains("fingerprint"));
    assert!(told(json!({"url": url, "key": key, "fingerprint": "0EBFCD88"})).is_some(), "too short to be one");
    assert!(told(json!({"url": url, "key_file": "/k", "fingerprint": fingerprint})).is_some());
    assert!(told(json!({"url": url, "key_file": "/k", "trusted": true})).is_some());
    for fine in [
        json!({"url": url, "key": key, "fingerprint": fingerprint}),
        json!({"url": url, "key": key, "fingerprints": [fingerprint]}),
        json!({"url": url, "key_file": "/usr/share/keyrings/debian-archive-keyring.gpg"}),
        json!({"mirrorlist": url, "trusted": true}),
    ] {
        assert_eq!(told(fine.clone()), None, "{fine}");
    }
}

#[test]
fn nobody_writes_another_line_into_a_file() {
    for bad in [
        json!({"url": "https://a.example/\ngpgcheck=0", "trusted": true}),
        json!({"url": "a b", "trusted": true}),
        json!({"url": "nowhere", "trusted": true}),
        json!({"trusted": true}),
        json!({"url": "file:/x", "suites": ["a\nTrusted: yes"], "trusted": true}),
        json!({"url": "file:/x", "suites": [], "trusted": true}),
        json!({"url": "file:/x", "components": ["a b"], "trusted": true}),
        json!({"url": "file:/x", "key_file": "/k\ngpgcheck=0"}),
        json!({"url": "file:/x", "key_file": "k"}),
        json!({"url": "file:/x", "key_file": "/a/../k"}),
        json!({"url": "file:/x", "key_name": "../x", "trusted": true}),
        json!({"url": "file:/x", "priority": 1, "pin": "origin x\nPin-Priority: 1", "trusted": true}),
        json!({"url": "file:/x", "pin": "origin x", "trusted": true}),
    ] {
        assert!(told(bad.clone()).is_some(), "{bad}");
    }
    let latest = Meta { state: Existence::Latest, ..Meta::default() };
    let spec = RepositorySpec { url: Some("file:/x".to_owned()), trusted: Some(true), ..RepositorySpec::default() };
    assert!(spec.contradiction(&latest).is_some());
}
