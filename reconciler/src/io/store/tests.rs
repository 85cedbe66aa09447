#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::time::Duration;

use muster_schema::Timestamp;
use muster_schema::manifest::{HostIdentity, Source};

use super::*;
use crate::bundle::{Origin, head_of, pack_manifest, sign_head, sign_manifest};
use crate::io::signer::{FileSigner, Signer};

fn publish(tree: &PublishedTree, signer: &FileSigner, hosts: usize) {
    let origin = Origin {
        fleet: "shop".parse().unwrap(),
        epoch: 1,
        source: Source { commit: "0".repeat(40).parse().unwrap(), facts_commit: None, policy_version: 0 },
    };
    let mut batch = Batch::default();
    for i in 0..hosts {
        let host = HostIdentity { id: format!("web-{i}").parse().unwrap(), key: signer.public_key() };
        let manifest = sign_manifest(pack_manifest(&origin, host, 1, Vec::new(), BTreeMap::new()), signer).unwrap();
        let head = head_of(&origin.fleet, &manifest, "0".repeat(40).parse().unwrap(), Timestamp(1), Duration::MAX);
        batch.manifest(&manifest);
        batch.head(&sign_head(head, signer).unwrap());
    }
    batch.blob(Sha256Digest::of(b"hello"), b"hello");
    tree.publish(&batch).unwrap();
}

#[test]
fn what_was_published_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let signer = FileSigner::generate(&dir.path().join("key"), "both", None).unwrap();
    // One file at a time, and by one syncfs.
    for hosts in [1, 40] {
        let tree = PublishedTree::open(dir.path().join(format!("tree-{hosts}"))).unwrap();
        publish(&tree, &signer, hosts);
        assert_eq!(tree.hosts().unwrap().len(), hosts);
        let (head, manifest) = tree.load_host(&"web-0".parse().unwrap()).unwrap().unwrap();
        assert_eq!(manifest.unwrap().serial, head.serial);
        let left = std::process::Command::new("find").arg(tree.top()).args(["-name", "*.new"]).output().unwrap();
        assert!(left.stdout.is_empty(), "temporary files stayed");
        assert_eq!(fs::read(tree.top().join("blobs").join(Sha256Digest::of(b"hello").to_string())).unwrap(), b"hello");
    }
}
