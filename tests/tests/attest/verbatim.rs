//! Contents that the manifest says to be files of the signed commit.

use std::fs;

use muster_schema::Sha256Digest;

use super::{APPLICATION, Attesting};

#[test]
fn a_file_as_it_is_is_found_in_the_signed_commit() {
    let attesting = Attesting::begin();
    let bytes = b"as it is {{ host.id }}\r\n\0\xff";
    let file = "resources:\n  files:\n    /etc/motd: {content: \"of {{ host.id }}\\n\"}\n    /etc/app: {source: app}\n";
    let repository = &attesting.fleet.repository;
    repository.write(APPLICATION, file).unwrap();
    repository.write("applications/base/files/app", bytes).unwrap();
    // What a checkout makes of it is nobody's business: the blob counts.
    repository.write(".gitattributes", "* text=auto\n*.app text eol=crlf\n").unwrap();
    let commit = repository.publish("base: A file as it is").unwrap();
    attesting.fleet.wait_synced("one", &commit).unwrap();
    assert_eq!(fs::read(attesting.agent.root().join("etc/app")).unwrap(), bytes);
    let at = attesting.now();
    attesting.push_and_wait("third");
    attesting.checkpointed();
    let bundle = attesting.made(at, "bundle");
    let manifest = bundle.json("manifest.json");
    let id = repository.git(&["rev-parse", &format!("{commit}:applications/base/files/app")]).unwrap();
    let verbatim = manifest["verbatim"].as_object().unwrap();
    assert_eq!(verbatim.len(), 1, "{manifest}");
    assert_eq!(verbatim[&Sha256Digest::of(bytes).to_string()], id.trim());
    let (proved, _) = bundle.verdict();
    assert!(proved.contains(&format!("1 of its contents are files of commit {commit}, byte for byte")), "{proved}");
}
