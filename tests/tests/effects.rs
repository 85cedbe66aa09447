//! What people with bounds bring about, under a running `muster serve`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use minisign::KeyPair;
use muster_tests::fleet::{Fleet, OPERATOR, SOON, allowed_signer, make_key};
use muster_tests::wait::wait_until;

#[path = "effects/attack.rs"]
mod attack;

const ANA: &str = "ana@example.org";

/// All hosts have the application `web`, which is ana's, and so far makes something on web servers only.
const WEB: &str = "resources:\n  files: {/etc/web: {when: \"{{ host.labels.role == 'web' }}\", content: one}}\n";

/// A running fleet of web-1 and db-1. ana may change the application, as far as that acts on web servers.
fn begin(folder: &Path, policy: &str) -> (Fleet, String) {
    let mut fleet = Fleet::make(folder, IpAddr::V4(Ipv4Addr::LOCALHOST), None).unwrap();
    let ana = folder.join("ana");
    make_key(&ana, ANA).unwrap();
    let repository = &fleet.repository;
    let signers = repository.allowed_signer().unwrap() + &allowed_signer(ANA, &ana).unwrap();
    repository.write("policy/allowed_signers", signers).unwrap();
    let rules = format!("rules:\n  - {{who: [{OPERATOR}], may: [all]}}\n");
    repository.write("policy/access.yaml", rules + policy).unwrap();
    repository.write("environments/production/environment.yaml", "applications: {web: {}}\n").unwrap();
    repository.write("applications/web/application.yaml", WEB).unwrap();
    for role in ["web", "db"] {
        let key = KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64();
        fleet.declare("production", &format!("{role}-1"), &key, &format!("labels: {{role: {role}}}\n")).unwrap();
    }
    let first = fleet.repository.publish("fleet: Begin with two teams").unwrap();
    fleet.start().unwrap();
    fleet.wait_verified("Verified", &first).unwrap();
    wait_until("both hosts to be published", SOON, || {
        let files = published(&fleet);
        let has_head = |host: &str| files.keys().any(|path| is_of(path, host) && is_head(path));
        has_head("web-1") && has_head("db-1") && files.keys().all(|path| !is_being_written(path))
    })
    .unwrap();
    (fleet, first)
}

/// ana commits all that lies there, and pushes it.
fn publish_as_ana(fleet: &Fleet, folder: &Path, message: &str) -> String {
    let key = format!("user.signingkey={}", folder.join("ana").display());
    let repository = &fleet.repository;
    repository.git(&["add", "--all"]).unwrap();
    repository.git(&["-c", &key, "commit", "--quiet", "--message", message]).unwrap();
    repository.push().unwrap();
    repository.tip().unwrap()
}

/// Whether a published file is this host's own.
fn is_of(path: &Path, host: &str) -> bool {
    path.iter().any(|part| part == host)
}

fn is_head(path: &Path) -> bool {
    path.ends_with("head.json")
}

fn is_being_written(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "new")
}

/// Every published file, and the anchor.
fn published(fleet: &Fleet) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![fleet.data().join("published"), fleet.data().join("anchor")];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Ok(bytes) = fs::read(&path) {
            files.insert(path, bytes);
        }
    }
    files
}
