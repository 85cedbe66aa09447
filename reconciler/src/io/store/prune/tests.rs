#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use muster_schema::manifest::{HostIdentity, Source};
use muster_schema::{Sha256Digest, Timestamp};
use serde_json::json;

use super::{GRACE, Pruned, PublishedTree};
use crate::bundle::{Origin, SignedManifest, head_of, pack_manifest, sign_head, sign_manifest};
use crate::io::signer::{FileSigner, Signer};
use crate::io::store::Batch;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KEEP: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Publishes for the host `one`, with one key for all.
struct Publisher {
    _folder: tempfile::TempDir,
    tree: PublishedTree,
    key: FileSigner,
    origin: Origin,
}

fn publisher() -> Publisher {
    let folder = tempfile::tempdir().unwrap();
    let key = FileSigner::generate(&folder.path().join("key"), "both", None).unwrap();
    let source = Source { commit: "0".repeat(40).parse().unwrap(), facts_commit: None, policy_version: 0 };
    let origin = Origin { fleet: "shop".parse().unwrap(), epoch: 1, source };
    let tree = PublishedTree::open(folder.path().join("tree")).unwrap();
    Publisher { _folder: folder, tree, key, origin }
}

impl Publisher {
    /// A manifest with a file of this content.
    fn batch(&self, serial: u64, text: &str) -> (Batch, SignedManifest) {
        let digest = Sha256Digest::of(text.as_bytes());
        let content = json!({"sha256": digest, "size": text.len()});
        let file = json!({"address": "files/etc/motd", "meta": {}, "attributes": {"content": content}});
        let resources = vec![serde_json::from_value(file).unwrap()];
        let host = HostIdentity { id: "one".parse().unwrap(), key: self.key.public_key() };
        let manifest = sign_manifest(
            pack_manifest(&self.origin, host, serial, resources, std::collections::BTreeMap::new()),
            &self.key,
        )
        .unwrap();
        let mut batch = Batch::default();
        batch.blob(digest, text.as_bytes());
        batch.manifest(&manifest);
        (batch, manifest)
    }

    fn publish(&self, serial: u64, text: &str) -> Sha256Digest {
        let (mut batch, manifest) = self.batch(serial, text);
        let revision = "0".repeat(40).parse().unwrap();
        let head = head_of(&self.origin.fleet, &manifest, revision, Timestamp(serial), Duration::MAX);
        batch.head(&sign_head(head, &self.key).unwrap());
        self.tree.publish(&batch).unwrap();
        manifest.digest()
    }

    fn publish_without_head(&self, serial: u64, text: &str) -> Sha256Digest {
        let (batch, manifest) = self.batch(serial, text);
        self.tree.publish(&batch).unwrap();
        manifest.digest()
    }

    /// The names in a folder of the tree, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.tree.top().join(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn prune_in(&self, time: Duration) -> Pruned {
        self.tree.prune(&HashSet::new(), KEEP, SystemTime::now() + time).unwrap()
    }

    fn manifest_file(&self, digest: Sha256Digest) -> PathBuf {
        self.tree.top().join(format!("hosts/one/{digest}.json"))
    }

    fn blob_file(&self, text: &str) -> PathBuf {
        self.tree.top().join(format!("blobs/{}", Sha256Digest::of(text.as_bytes())))
    }
}

#[test]
fn what_no_head_names_goes_when_nobody_may_want_it_any_more() {
    let publisher = publisher();
    let first = publisher.publish(1, "first");
    let second = publisher.publish(2, "second");
    assert_eq!(publisher.prune_in(DAY), Pruned::default());
    assert!(publisher.blob_file("first").exists());
    // The manifest stays for proofs, its contents do not.
    assert_eq!(publisher.prune_in(3 * DAY), Pruned { manifests: 0, blobs: 1 });
    assert!(publisher.manifest_file(first).exists() && !publisher.blob_file("first").exists());
    assert_eq!(publisher.prune_in(91 * DAY), Pruned { manifests: 1, blobs: 0 });
    assert_eq!(publisher.names("hosts/one").len(), 4, "{:?}", publisher.names("hosts/one"));
    assert!(publisher.manifest_file(second).exists() && publisher.blob_file("second").exists());
    assert_eq!(publisher.prune_in(1000 * DAY), Pruned::default());
}

#[test]
fn what_waits_for_witnesses_and_what_it_names_stays() {
    let publisher = publisher();
    publisher.publish(1, "first");
    let waiting = publisher.publish_without_head(2, "second");
    let held: HashSet<Sha256Digest> = [waiting].into();
    let later = SystemTime::now() + 91 * DAY;
    assert_eq!(publisher.tree.prune(&held, KEEP, later).unwrap(), Pruned::default());
    assert!(publisher.manifest_file(waiting).exists() && publisher.blob_file("second").exists());
    assert_eq!(publisher.tree.prune(&HashSet::new(), KEEP, later).unwrap(), Pruned { manifests: 1, blobs: 1 });
    assert!(publisher.blob_file("first").exists());
}

/// As if it had been published so long ago.
fn make_old(file: PathBuf, time: Duration) {
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::now() - time).unwrap();
}

#[test]
fn what_was_found_to_be_old_and_is_needed_again_meanwhile_stays() {
    let publisher = publisher();
    publisher.publish(1, "first");
    publisher.publish(2, "second");
    let blob = publisher.blob_file("first");
    make_old(blob.clone(), 10 * DAY);
    publisher.publish(3, "first");
    assert!(!publisher.tree.remove_old(&blob, GRACE, SystemTime::now()).unwrap());
    make_old(blob.clone(), 10 * DAY);
    assert!(publisher.tree.remove_old(&blob, GRACE, SystemTime::now()).unwrap() && !blob.exists());
}

#[test]
fn a_manifest_counts_from_when_its_head_left_it() {
    let publisher = publisher();
    let first = publisher.publish(1, "first");
    make_old(publisher.manifest_file(first), 1000 * DAY);
    make_old(publisher.blob_file("first"), 1000 * DAY);
    assert_eq!(publisher.prune_in(Duration::ZERO), Pruned::default());
    publisher.publish(2, "second");
    assert_eq!(publisher.prune_in(DAY), Pruned::default());
    assert_eq!(publisher.prune_in(3 * DAY), Pruned { manifests: 0, blobs: 1 });
    assert_eq!(publisher.prune_in(91 * DAY), Pruned { manifests: 1, blobs: 0 });
}

#[test]
fn where_what_is_in_use_cannot_be_read_nothing_goes() {
    let publisher = publisher();
    let first = publisher.publish(1, "first");
    let second = publisher.publish(2, "second");
    fs::write(publisher.manifest_file(second), "{").unwrap();
    let pruned = publisher.tree.prune(&HashSet::new(), KEEP, SystemTime::now() + 91 * DAY);
    assert!(pruned.is_err());
    assert!(publisher.manifest_file(first).exists() && publisher.blob_file("first").exists());
}
