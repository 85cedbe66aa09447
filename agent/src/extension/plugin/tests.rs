use super::*;
use muster_schema::resource::Existence;
use serde_json::Map;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The example of the book, which keeps each greeting in a file.
const EXAMPLE: &str = include_str!("../../../../docs/examples/greeting");

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn spec(plugin: &str, attributes: Json) -> ExtensionSpec {
    ExtensionSpec {
        collection: "greetings".parse().unwrap(),
        provider: ExtensionProvider::Plugin(plugin.to_owned()),
        id_argument: None,
        order: None,
        attributes: attributes.as_object().cloned().unwrap_or_else(Map::new),
    }
}

fn thing<'a>(id: &'a str, spec: &'a ExtensionSpec) -> Thing<'a> {
    Thing { id, spec, existence: Existence::Present, timeout: None }
}

fn example(folder: &Path) -> Plugins {
    let things = folder.join("things");
    fs::create_dir(&things).unwrap();
    put(folder, "greeting", &EXAMPLE.replace("/var/lib/greetings", things.to_str().unwrap()));
    Plugins::new(folder.to_owned()).with_patience(Duration::from_secs(20))
}

#[test]
fn the_example_of_the_book_makes_changes_and_takes_back() {
    let folder = folder();
    let plugins = example(folder.path());
    let spec = spec("greeting", json!({"text": "hello"}));
    let thing = thing("anna", &spec);
    assert_eq!(plugins.observe(&thing).unwrap(), State::Absent);
    let text = |text: &'static str| State::present([("text", text.into())]);
    let made = Change { before: State::Absent, after: text("hello") };
    plugins.apply(&thing, &made).unwrap();
    let file = folder.path().join("things/anna");
    assert_eq!(fs::read_to_string(&file).unwrap(), "hello");
    fs::write(&file, "drift").unwrap();
    assert_eq!(plugins.observe(&thing).unwrap(), text("drift"));
    assert_eq!(plugins.list(spec.collection, &spec.provider).unwrap(), ["anna"]);
    plugins.apply(&thing, &made.inverse()).unwrap();
    assert!(!file.exists());
}

#[test]
fn a_plugin_that_others_may_write_is_not_started() {
    let folder = folder();
    let plugins = example(folder.path());
    let spec = spec("greeting", json!({"text": "hello"}));
    let refused = |plugins: &Plugins| match plugins.observe(&thing("a", &spec)) {
        Err(ResourceError::Blocked(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let file = folder.path().join("greeting");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(refused(&plugins).contains("may be written by others"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refused(&plugins).contains("not executable"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    assert!(refused(&plugins).contains("may be written by others"));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::symlink("greeting", folder.path().join("other")).unwrap();
    let other = ExtensionSpec { provider: ExtensionProvider::Plugin("other".to_owned()), ..spec.clone() };
    assert!(
        matches!(plugins.observe(&thing("a", &other)), Err(ResourceError::Blocked(reason)) if reason.contains("regular"))
    );
    assert_eq!(plugins.observe(&thing("a", &spec)).unwrap(), State::Absent);
}

/// A plug-in that describes itself so, and then answers each line so.
fn scripted(folder: &Path, features: &str, rest: &str) -> Plugins {
    let describe = format!(r#"{{"id":1,"ok":{{"protocol":1,"features":[{features}]}}}}"#);
    put(folder, "p", &format!("#!/bin/sh\nread line; echo '{describe}'\n{rest}\n"));
    Plugins::new(folder.to_owned()).with_patience(Duration::from_secs(2))
}

#[test]
fn what_breaks_a_rule_is_an_error_and_rests() {
    let cases = [
        ("sleep 1000 & wait", "took longer"),
        ("yes '{}' | tr -d '\\n'", "1048576 bytes"),
        ("read line; echo '{\"id\":9,\"ok\":{\"present\":false}}'; read line", "another number"),
        ("read line; echo nonsense; read line", "cannot be read"),
        ("read line; echo '{\"id\":2,\"ok\":{\"present\":true,\"more\":1}}'; read line", "another form"),
        ("read line; kill -9 $$", "signal 9"),
        ("read line; echo oops >&2; exit 3", "code 3: oops"),
    ];
    for (rest, expected) in cases {
        let folder = folder();
        let plugins = scripted(folder.path(), "", rest);
        let spec = spec("p", json!({}));
        let failed = |plugins: &Plugins| plugins.observe(&thing("a", &spec)).unwrap_err().to_string();
        let first = failed(&plugins);
        assert!(first.contains(expected), "{rest}: {first}");
        let second = failed(&plugins);
        assert!(second.contains("rests after a failure"), "{rest}: {second}");
        // It is started anew after that.
        scripted(folder.path(), "", "read line; echo '{\"id\":2,\"ok\":{\"present\":false}}'; read line");
        std::thread::sleep(SHORTEST_REST);
        assert_eq!(plugins.observe(&thing("a", &spec)).unwrap(), State::Absent, "{rest}");
    }
}

#[test]
fn an_unknown_feature_is_refused() {
    let folder = folder();
    let plugins = scripted(folder.path(), "\"teleport\"", "read line");
    let spec = spec("p", json!({}));
    let refused = plugins.observe(&thing("a", &spec));
    assert!(matches!(refused, Err(ResourceError::Blocked(reason)) if reason.contains("teleport")));
}

#[test]
fn one_that_says_done_and_did_nothing_is_not_believed() {
    let folder = folder();
    let plugins = scripted(
        folder.path(),
        "",
        "read line; echo '{\"id\":2,\"ok\":{}}'; read line; echo '{\"id\":3,\"ok\":{\"present\":false}}'; read line",
    );
    let spec = spec("p", json!({"text": "x"}));
    let change = Change { before: State::Absent, after: State::present([("text", "x".into())]) };
    let error = plugins.apply(&thing("a", &spec), &change).unwrap_err().to_string();
    assert!(error.contains("said that it is done, and it is not there"), "{error}");
}
