#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::{Value, json};

const ID: &str = "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12";

fn contradiction(changed: &Value) -> Option<String> {
    let mut attributes = json!({"url": "https://example.org/site.git", "revision": ID, "dest": "/srv/site"});
    for (name, value) in changed.as_object().unwrap() {
        attributes[name] = value.clone();
    }
    serde_json::from_value::<CheckoutSpec>(attributes).unwrap().contradiction(&Meta::default())
}

#[test]
fn addresses_and_commits_are_checked() {
    for right in [
        json!({}),
        json!({"url": "http://127.0.0.1:8080/site"}),
        json!({"url": "ssh://git@example.org:2222/site.git"}),
        json!({"url": "ssh://example.org/~me/site.git"}),
        json!({"url": "file:///srv/git/site.git"}),
        json!({"revision": format!("{ID}{}", "0".repeat(24))}),
    ] {
        assert_eq!(contradiction(&right), None, "{right}");
    }
    for (wrong, said) in [
        (json!({"revision": null}), "whole id"),
        (json!({"revision": "main"}), "git rev-parse"),
        (json!({"revision": "2fd4e1c"}), "git rev-parse"),
        (json!({"revision": ID.to_uppercase()}), "git rev-parse"),
        (json!({"url": null}), "'url'"),
        (json!({"url": "git@example.org:site.git"}), "ssh://git@HOST/PATH"),
        (json!({"url": "ext::sh -c id"}), "https://"),
        (json!({"url": "--upload-pack=id"}), "https://"),
        (json!({"url": "https://me:secret@example.org/site"}), "credentials"),
        (json!({"url": "ssh://me:secret@example.org/site"}), "credentials"),
        (json!({"url": "ssh://-oProxyCommand=id/site"}), "host"),
        (json!({"url": "ssh://-oProxyCommand=id@example.org/site"}), "credentials"),
        (json!({"url": "file://srv/site"}), "clean and absolute"),
        (json!({"url": "file:///srv/../etc"}), "clean and absolute"),
        (json!({"dest": "srv"}), "'dest'"),
        (json!({"max_entries": 200_001}), "200000"),
    ] {
        let told = contradiction(&wrong).unwrap_or_else(|| panic!("{wrong} is taken"));
        assert!(told.contains(said), "{wrong}: {told}");
    }
}
