#![allow(clippy::disallowed_methods)]

use super::Watch;
use crate::host::HostPath;
use crate::test_machine;
use muster_schema::Address;
use notify::{Config, Error, ErrorKind, Event, EventHandler, RecursiveMode, Watcher, WatcherKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn owners(ids: &[&str]) -> BTreeMap<HostPath, BTreeSet<Address>> {
    ids.iter().map(|id| (HostPath::new(id).unwrap(), BTreeSet::from([address(id)]))).collect()
}

fn address(id: &str) -> Address {
    format!("files{id}").parse().unwrap()
}

/// Gives so many watches and no more.
struct Scarce {
    left: usize,
    watched: Arc<Mutex<Vec<PathBuf>>>,
}

impl Watcher for Scarce {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Scarce> {
        unreachable!()
    }

    fn watch(&mut self, path: &Path, _: RecursiveMode) -> notify::Result<()> {
        if self.left == 0 {
            return Err(Error::new(ErrorKind::MaxFilesWatch));
        }
        self.left -= 1;
        self.watched.lock().unwrap().push(path.to_owned());
        Ok(())
    }

    fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
        self.left += 1;
        Ok(())
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

#[test]
fn what_lies_where_no_watch_is_left_is_named() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["a", "b", "c"] {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    let watched = Arc::default();
    let mut watch = Watch::by(root.path(), Box::new(Scarce { left: 2, watched: Arc::clone(&watched) }));
    let unseen = watch.set_paths(owners(&["/a/1", "/b/2", "/c/3"]));
    assert_eq!(unseen, BTreeSet::from([address("/a/1"), address("/b/2")]));
    // The folder `c`, and the root above all.
    assert_eq!(watch.unwatched_places(), 2);
    assert!(watch.unwatched().contains(&address("/c/3")));
    assert_eq!(*watched.lock().unwrap(), [root.path().join("a"), root.path().join("b")]);

    // One is free again: the nearest folder gets it.
    let unseen = watch.set_paths(owners(&["/b/2", "/c/3"]));
    assert_eq!(unseen, BTreeSet::from([address("/c/3")]));
    assert_eq!(watch.unwatched_places(), 1);
}

fn begin(root: &Path, ids: &[&str]) -> (Watch, Receiver<Event>) {
    let (sender, events) = channel();
    let mut watch = Watch::begin(root, move |event| drop(sender.send(event.unwrap()))).unwrap();
    assert_eq!(watch.set_paths(owners(ids)).len(), ids.len());
    assert_eq!(watch.unwatched_places(), 0);
    (watch, events)
}

/// Whom the events of the next moment concern.
fn concerned(watch: &mut Watch, events: &Receiver<Event>) -> BTreeSet<Address> {
    let mut all = BTreeSet::new();
    while let Ok(event) = events.recv_timeout(Duration::from_millis(300)) {
        if super::hurry_of(&event) != super::Hurry::Never {
            all.extend(watch.concerned(&event));
        }
    }
    all
}

#[test]
fn any_folder_of_a_purged_directory_is_watched() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("conf.d/theirs/deep")).unwrap();
    fs::create_dir_all(root.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", root.path().join("conf.d/link")).unwrap();
    let (mut watch, events) = begin(root.path(), &["/conf.d/*"]);
    let purged = BTreeSet::from([address("/conf.d/*")]);
    fs::write(root.path().join("conf.d/theirs/deep/foreign"), "x").unwrap();
    assert_eq!(concerned(&mut watch, &events), purged);
    fs::write(root.path().join("elsewhere/file"), "x").unwrap();
    assert_eq!(concerned(&mut watch, &events), BTreeSet::new());

    // A folder that came later and stayed.
    fs::create_dir(root.path().join("conf.d/theirs/later")).unwrap();
    assert_eq!(concerned(&mut watch, &events), purged);
    assert_eq!(watch.renew(), purged);
    fs::write(root.path().join("conf.d/theirs/later/foreign"), "x").unwrap();
    assert_eq!(concerned(&mut watch, &events), purged);
}

#[test]
fn a_folder_far_above_is_renamed() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("a/b/c")).unwrap();
    fs::write(root.path().join("a/b/c/file"), "x").unwrap();
    let (mut watch, events) = begin(root.path(), &["/a/b/c/file"]);
    fs::rename(root.path().join("a"), root.path().join("z")).unwrap();
    assert_eq!(concerned(&mut watch, &events), BTreeSet::from([address("/a/b/c/file")]));
    let _ = watch.renew();

    // Another one comes in its place, and is watched like the first.
    fs::create_dir_all(root.path().join("a/b/c")).unwrap();
    assert_eq!(concerned(&mut watch, &events), BTreeSet::from([address("/a/b/c/file")]));
    let _ = watch.renew();
    fs::write(root.path().join("a/b/c/file"), "y").unwrap();
    assert_eq!(concerned(&mut watch, &events), BTreeSet::from([address("/a/b/c/file")]));
    // The old one is of no concern any more.
    fs::write(root.path().join("z/b/c/file"), "y").unwrap();
    assert_eq!(concerned(&mut watch, &events), BTreeSet::new());
}

#[test]
fn what_is_mounted_over_a_path_is_watched_itself() {
    if !test_machine::enter("watch::tests::what_is_mounted_over_a_path_is_watched_itself") {
        return;
    }
    let root = Path::new("/tmp");
    fs::create_dir_all("/tmp/managed").unwrap();
    fs::create_dir_all("/tmp/elsewhere").unwrap();
    fs::write("/tmp/managed/file", "covered").unwrap();
    fs::write("/tmp/elsewhere/file", "x").unwrap();
    rustix::mount::mount_bind("/tmp/elsewhere/file", "/tmp/managed/file").unwrap();
    let (mut watch, events) = begin(root, &["/managed/file"]);
    fs::write("/tmp/elsewhere/file", "changed by another name").unwrap();
    assert_eq!(concerned(&mut watch, &events), BTreeSet::from([address("/managed/file")]));
}
