//! What people write into a state repository.

use std::sync::Arc;

use muster_reconciler::enrolment::approve_host_file;
use muster_reconciler::model::{ModelCache, Node, load_model, load_yaml};
use muster_reconciler::render::{FactsOfFleet, check_fleet};
use muster_reconciler::template::{Template, node_of_value, value_of_node};
use muster_schema::facts::{Facts, OsFacts};
use muster_schema::{HostId, PublicKey};

use crate::memory_repository::{repository_of, split_files};

const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const RECIPIENT: &str = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq";

pub(crate) fn yaml(bytes: &[u8]) {
    match load_yaml(&Arc::from("host.yaml"), bytes) {
        Ok(root) => drop(root.to_json()),
        Err(found) => assert!(!found.is_empty(), "a refusal says why"),
    }
}

/// A whole repository, as `muster validate` sees it.
pub(crate) fn repository(bytes: &[u8]) {
    let mut cache = ModelCache::default();
    let files = repository_of(split_files(bytes));
    let (model, found) = load_model(&files, &mut cache);
    let facts: FactsOfFleet = model.hosts().map(|host| (host.id.clone(), facts_of(&host.id))).collect();
    let checked = check_fleet(&model, &facts, found.clone());
    assert!(checked.rendered.len() + checked.waiting.len() <= model.hosts().count());
    // The same files give the same findings, from the cache too.
    assert_eq!(load_model(&files, &mut cache).1, found);
}

/// The first line is YAML for what is in scope, the rest the template.
pub(crate) fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (scope, source) = text.split_once('\n').unwrap_or(("", &text));
    let file: Arc<str> = Arc::from("scope.yaml");
    let Ok(scope) = load_yaml(&file, scope.as_bytes()) else { return };
    let place = scope.place.clone();
    let scope = value_of_node(&scope);
    let source: Arc<str> = Arc::from(source);
    for compiled in [Template::compile(&source), Template::compile_file(&source)] {
        let evaluated = compiled.and_then(|template| template.evaluate(&scope));
        match evaluated {
            Ok(value) => drop::<Result<Node, _>>(node_of_value(&value, &place)),
            Err(fault) => {
                assert!(!fault.reason.is_empty());
                assert!(fault.offset <= source.len(), "a fault lies in the template");
            }
        }
    }
}

/// `muster host approve` on a file that people wrote.
pub(crate) fn host_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let key: PublicKey = KEY.parse().unwrap();
    let Ok(approved) = approve_host_file(Some(text), &key, RECIPIENT, None) else { return };
    let file: Arc<str> = Arc::from("host.yaml");
    // What was no document is none afterwards either.
    if load_yaml(&file, bytes).is_err() {
        return;
    }
    let root = load_yaml(&file, approved.as_bytes()).unwrap_or_else(|found| panic!("{found:?} in\n{approved}"));
    assert_eq!(root.get("key").and_then(Node::as_str), Some(KEY), "{approved}");
    assert_eq!(root.get("recipient").and_then(Node::as_str), Some(RECIPIENT), "{approved}");
}

fn facts_of(host: &HostId) -> Facts {
    let os = OsFacts { family: "debian".into(), id: "debian".into(), version: Some("12".into()), codename: None };
    let address = std::net::IpAddr::from([192, 0, 2, 1]);
    Facts {
        os,
        arch: "x86_64".into(),
        cpus: 1,
        memory_mib: 512,
        hostname: host.to_string(),
        address: Some(address),
        addresses: vec![address],
        virtualisation: None,
    }
}
