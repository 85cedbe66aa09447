//! What the orchestrator removes of the tree that it publishes, and what proofs still find.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use muster_schema::Sha256Digest;
use muster_tests::fleet::SOON;
use muster_tests::wait::wait_until;

use super::Attesting;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Attesting {
    fn published(&self) -> PathBuf {
        self.fleet.data().join("published")
    }

    /// Starts the orchestrator as if it had published all of it so long ago.
    fn start_after(&mut self, time: Duration) {
        self.fleet.stop().unwrap();
        let then = SystemTime::now() - time;
        for file in files(&self.published()) {
            File::options().write(true).open(file).unwrap().set_modified(then).unwrap();
        }
        self.fleet.start().unwrap();
    }

    fn blob(&self, text: &str) -> PathBuf {
        self.published().join(format!("blobs/{}", Sha256Digest::of(text.as_bytes())))
    }

    fn manifests(&self) -> usize {
        let names = files(&self.published().join("hosts/one"));
        names.iter().filter(|name| name.extension().is_some_and(|ending| ending == "json")).count() - 1
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_no_head_names_is_removed_and_proofs_find_their_manifests() {
    let mut attesting = Attesting::begin();
    attesting.push_and_wait("second");
    let second = attesting.now();
    attesting.push_and_wait("third");
    attesting.checkpointed();
    let before = attesting.manifests();
    assert!(before >= 3, "{before}");

    attesting.start_after(10 * DAY);
    wait_until("old contents to go", SOON, || !attesting.blob("first\n").exists()).unwrap();
    wait_until("all of them to go", SOON, || !attesting.blob("second\n").exists()).unwrap();
    assert!(attesting.blob("third\n").exists(), "it is named by the head");
    assert_eq!(attesting.manifests(), before);
    let (proved, _) = attesting.made(second, "later").verdict();
    assert!(proved.contains("it has applied that manifest"), "{proved}");

    attesting.start_after(93 * DAY);
    wait_until("old manifests to go", SOON, || attesting.manifests() == 1).unwrap();
    assert!(attesting.blob("third\n").exists());
    let (refused, path) = attesting.attest(second, "too late");
    assert!(refused.status.code() >= Some(2) && !path.exists(), "{refused:?}");

    // What came before comes again, and the host is as it is to be all the time.
    attesting.push_and_wait("second");
    assert_eq!(fs::read_to_string(attesting.motd()).unwrap(), "second\n");
    assert!(attesting.blob("second\n").exists());
}
