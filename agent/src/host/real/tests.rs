//! Writing to a real file system, among those who would lead the agent elsewhere.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod attack;

use super::*;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::PathBuf;
use std::process::Command;

struct Place {
    dir: tempfile::TempDir,
    host: RealHost,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/etc")).unwrap();
        let host = RealHost::open(&dir.path().join("root")).unwrap();
        Place { dir, host }
    }

    fn real(&self, path: &str) -> PathBuf {
        self.dir.path().join("root").join(path)
    }

    fn write(&self, path: &str, content: &str) -> Result<(), HostError> {
        self.write_as(path, content, NewAttributes::default())
    }

    fn write_as(&self, path: &str, content: &str, new: NewAttributes) -> Result<(), HostError> {
        let content = Box::new(Cursor::new(content.as_bytes().to_vec()));
        let prepared = self.host.prepare(FileWrite::new(host_path(path), content, new))?;
        self.host.commit(vec![prepared]).remove(0)
    }

    /// Names that are left in a folder.
    fn names(&self, path: &str) -> Vec<String> {
        self.host.reader().list(&host_path(path)).unwrap()
    }
}

fn host_path(path: &str) -> HostPath {
    HostPath::new(&format!("/{path}")).unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: not root");
    }
    root
}

#[test]
fn a_new_file_has_its_content_and_mode_and_no_candidate_stays() {
    let place = Place::new();
    place.write_as("etc/shadow", "secret", NewAttributes { mode: Some(0o600), ..NewAttributes::default() }).unwrap();
    assert_eq!(read(place.real("etc/shadow")), "secret");
    assert_eq!(fs::metadata(place.real("etc/shadow")).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(place.names("etc"), ["shadow"]);
}

#[test]
fn a_candidate_is_private_until_it_is_in_place() {
    let place = Place::new();
    let content = Box::new(Cursor::new(b"x".to_vec()));
    let new = NewAttributes { mode: Some(0o600), ..NewAttributes::default() };
    let prepared = place.host.prepare(FileWrite::new(host_path("etc/f"), content, new)).unwrap();
    let candidate = place.real(prepared.candidate.relative());
    assert_eq!(fs::metadata(&candidate).unwrap().mode() & 0o077, 0);
    place.host.discard(prepared);
    assert!(place.names("etc").is_empty());
}

#[test]
fn what_an_interrupted_run_left_is_removed_and_nothing_else() {
    let place = Place::new();
    fs::write(place.real("etc/.muster-0011223344556677.new"), "half").unwrap();
    fs::write(place.real("etc/.muster-notes"), "mine").unwrap();
    place.host.remove_candidates(&host_path("etc")).unwrap();
    assert_eq!(place.names("etc"), [".muster-notes"]);
}

#[test]
fn attributes_of_the_file_in_place_are_taken_over() {
    let place = Place::new();
    fs::write(place.real("etc/f"), "old").unwrap();
    fs::set_permissions(place.real("etc/f"), fs::Permissions::from_mode(0o4711)).unwrap();
    let name = "user.origin";
    let carries = rustix::fs::setxattr(place.real("etc/f"), name, b"here", rustix::fs::XattrFlags::empty()).is_ok();
    place.write("etc/f", "new").unwrap();
    assert_eq!(read(place.real("etc/f")), "new");
    assert_eq!(fs::metadata(place.real("etc/f")).unwrap().mode() & 0o7777, 0o4711);
    if carries {
        let mut value = [0; 16];
        let length = rustix::fs::getxattr(place.real("etc/f"), name, &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"here");
    } else {
        eprintln!("SKIPPED: no extended attributes here");
    }
}

#[test]
fn a_file_that_is_a_mount_point_keeps_its_inode() {
    let place = Place::new();
    fs::write(place.real("source"), "a longer content than the new one").unwrap();
    fs::write(place.real("etc/hosts"), "").unwrap();
    let target = place.real("etc/hosts");
    let mounted = Command::new("mount").arg("--bind").arg(place.real("source")).arg(&target).output().unwrap();
    if !mounted.status.success() {
        eprintln!("SKIPPED: cannot mount");
        return;
    }
    let before = fs::metadata(&target).unwrap().ino();
    let new = NewAttributes { mode: Some(0o640), ..NewAttributes::default() };
    let written = place.write_as("etc/hosts", "new", new);
    let (after, content) = (fs::metadata(&target).unwrap(), read(&target));
    assert!(Command::new("umount").arg(&target).status().unwrap().success());
    written.unwrap();
    assert_eq!((after.ino(), after.mode() & 0o7777, content.as_str()), (before, 0o640, "new"));
    assert_eq!(place.names("etc"), ["hosts"]);
}

#[test]
fn of_many_files_one_that_fails_leaves_the_others_alone() {
    let place = Place::new();
    let mut prepared = Vec::new();
    for number in 0..50 {
        fs::create_dir_all(place.real(&format!("etc/{}", number % 5))).unwrap();
        let path = host_path(&format!("etc/{}/{number}", number % 5));
        let content = Box::new(Cursor::new(number.to_string().into_bytes()));
        prepared.push(place.host.prepare(FileWrite::new(path, content, NewAttributes::default())).unwrap());
    }
    fs::create_dir(place.real("etc/2/7")).unwrap();
    let results = place.host.commit(prepared);
    assert_eq!(results.iter().enumerate().filter(|(_, r)| r.is_err()).map(|(at, _)| at).collect::<Vec<_>>(), [7]);
    for number in (0..50).filter(|number| *number != 7) {
        assert_eq!(read(place.real(&format!("etc/{}/{number}", number % 5))), number.to_string());
    }
    assert_eq!(place.names("etc/2").iter().filter(|name| name.starts_with('.')).count(), 0);
}

#[test]
fn a_directory_with_something_in_it_is_not_removed() {
    let place = Place::new();
    fs::write(place.real("etc/f"), "").unwrap();
    let removed = place.host.remove(&host_path("etc"), FileKind::Directory);
    assert!(matches!(removed, Err(HostError::NotEmpty(_))));
    place.host.remove(&host_path("etc/f"), FileKind::File).unwrap();
    place.host.remove(&host_path("etc/f"), FileKind::File).unwrap();
    place.host.remove(&host_path("etc"), FileKind::Directory).unwrap();
    assert!(!place.real("etc").exists());
}
