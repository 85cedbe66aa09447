//! The repository that users copy is sound, and shows what it says.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use muster_reconciler::io::repository::list_folder;
use muster_reconciler::model::{Model, ModelCache, load_model};
use muster_reconciler::render::{CheckedFleet, FactsOfFleet, check_fleet};
use muster_schema::HostId;
use muster_schema::facts::{Facts, OsFacts};

fn load() -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples-repo");
    let (model, found) = load_model(&list_folder(&folder).unwrap(), &mut ModelCache::default());
    assert_eq!(found, []);
    model
}

fn facts(last: u8) -> Facts {
    let address = std::net::IpAddr::from([10, 0, 0, last]);
    let os = OsFacts { family: "debian".into(), id: "debian".into(), version: None, codename: None };
    Facts {
        os,
        arch: "x86_64".into(),
        cpus: 1,
        memory_mib: 512,
        hostname: "host".into(),
        address: Some(address),
        addresses: vec![address],
        virtualisation: None,
    }
}

fn content(checked: &CheckedFleet, host: &str, address: &str) -> String {
    let rendered = &checked.rendered[&host.parse::<HostId>().unwrap()];
    let resource = rendered.resources.iter().find(|resource| resource.address.to_string() == address).unwrap();
    let blob = resource.spec.blobs().remove(0);
    String::from_utf8(rendered.blobs[&blob.sha256].to_vec()).unwrap()
}

#[test]
fn without_facts_hosts_wait_and_nothing_is_faulty() {
    let model = load();
    let checked = check_fleet(&model, &FactsOfFleet::default(), Vec::new());
    assert_eq!(checked.found, []);
    let waiting: Vec<&str> = checked.waiting.keys().map(HostId::as_str).collect();
    assert_eq!(waiting, ["lb-1", "stage-web-1", "web-1", "web-2"]);
    assert_eq!(model.environments().count(), 2);
    assert_eq!(model.hosts().count(), 5);
}

#[test]
fn with_facts_all_hosts_render() {
    let model = load();
    let ids: Vec<HostId> = model.hosts().map(|host| host.id.clone()).collect();
    let facts: FactsOfFleet = ids.into_iter().zip(1..).map(|(id, last)| (id, facts(last))).collect();
    let checked = check_fleet(&model, &facts, Vec::new());
    assert_eq!(checked.found, []);
    assert_eq!(checked.rendered.len(), 5);
    let site = content(&checked, "lb-1", "files/etc/nginx/conf.d/site.conf");
    assert!(site.contains("server 10.0.0.4:80;\n    server 10.0.0.5:80;"), "{site}");
    assert!(content(&checked, "web-2", "files/srv/www/index.html").contains("<h1>The example, second server</h1>"));
    assert!(content(&checked, "stage-db-1", "files/etc/motd").contains("environment  staging"));
    assert!(content(&checked, "web-1", "files/srv/www/css/site.css").contains("sans-serif"));
}

#[test]
fn the_plug_in_of_the_examples_is_that_of_the_book_and_comes_before_what_it_provides() {
    let model = load();
    let host: HostId = "stage-web-1".parse().unwrap();
    let checked = check_fleet(&model, &[(host.clone(), facts(1))].into_iter().collect(), Vec::new());
    let plugin = "files/usr/lib/muster/plugins/greeting";
    assert_eq!(content(&checked, "stage-web-1", plugin), include_str!("../../docs/examples/greeting"));
    let resources = &checked.rendered[&host].resources;
    let greeting = resources.iter().find(|resource| resource.address.to_string() == "greetings/visitors").unwrap();
    assert!(greeting.meta.requires.iter().any(|required| required.to_string() == plugin), "{greeting:?}");
}
