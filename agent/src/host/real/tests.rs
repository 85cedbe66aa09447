//! Writing to a real file system, among those who would lead the agent elsewhere.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

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
fn other_names_of_a_file_are_left_alone() {
    let place = Place::new();
    fs::write(place.real("victim"), "untouched").unwrap();
    fs::set_permissions(place.real("victim"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::hard_link(place.real("victim"), place.real("etc/f")).unwrap();
    let new = NewAttributes { mode: Some(0o666), ..NewAttributes::default() };
    assert!(matches!(place.host.set_attributes(&host_path("etc/f"), &new), Err(HostError::SeveralNames(_))));
    place.write("etc/f", "new").unwrap();
    assert_eq!((read(place.real("victim")), read(place.real("etc/f"))), ("untouched".into(), "new".into()));
    assert_eq!(fs::metadata(place.real("victim")).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn a_link_is_replaced_and_never_written_through() {
    let place = Place::new();
    fs::write(place.real("victim"), "untouched").unwrap();
    symlink("../victim", place.real("etc/f")).unwrap();
    place.write("etc/f", "new").unwrap();
    assert_eq!((read(place.real("victim")), read(place.real("etc/f"))), ("untouched".into(), "new".into()));
    assert!(!fs::symlink_metadata(place.real("etc/f")).unwrap().is_symlink());
}

#[test]
fn pipes_and_directories_are_refused() {
    let place = Place::new();
    assert!(Command::new("mkfifo").arg(place.real("etc/pipe")).status().unwrap().success());
    fs::create_dir(place.real("etc/dir")).unwrap();
    for (path, found) in [("etc/pipe", FileKind::Special), ("etc/dir", FileKind::Directory)] {
        let refused = place.write(path, "new").unwrap_err();
        assert!(matches!(refused, HostError::Kind { found: kind, .. } if kind == found), "{refused}");
        // Reading does not wait for a writer.
        let (meta, content) = place.host.reader().digest(&host_path(path)).unwrap().unwrap();
        assert_eq!((meta.kind, content), (found, None));
    }
    assert_eq!(place.names("etc"), ["dir", "pipe"]);
}

#[test]
fn a_link_out_of_the_tree_ends_in_the_tree() {
    let place = Place::new();
    let outside = place.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, place.real("etc/absolute")).unwrap();
    symlink("../../../../../../outside", place.real("etc/relative")).unwrap();
    for path in ["etc/absolute/f", "etc/relative/f"] {
        assert!(place.write(path, "x").is_err(), "{path}");
    }
    fs::create_dir(place.real("outside")).unwrap();
    place.write("etc/relative/f", "inside").unwrap();
    assert_eq!(read(place.real("outside/f")), "inside");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn a41_a_link_on_the_way_counts_only_from_root_or_us() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.real("precious")).unwrap();
    fs::write(place.real("precious/shadow"), "untouched").unwrap();
    symlink("../precious", place.real("etc/ours")).unwrap();
    symlink("../precious", place.real("etc/theirs")).unwrap();
    lchown(place.real("etc/theirs"), Some(1234), Some(1234)).unwrap();
    assert!(matches!(place.write("etc/theirs/shadow", "stolen"), Err(HostError::UntrustedLink(_))));
    assert_eq!(read(place.real("precious/shadow")), "untouched");
    place.write("etc/ours/shadow", "meant").unwrap();
    assert_eq!(read(place.real("precious/shadow")), "meant");
}

#[test]
fn a41_a_parent_that_is_swapped_for_a_link_leads_nowhere() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.real("precious")).unwrap();
    fs::create_dir(place.real("etc/dir")).unwrap();
    symlink("../precious", place.real("etc/link")).unwrap();
    lchown(place.real("etc/link"), Some(1234), Some(1234)).unwrap();
    let (dir, link, aside) = (place.real("etc/dir"), place.real("etc/link"), place.real("etc/aside"));
    let swapping = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while swapping.load(std::sync::atomic::Ordering::Relaxed) {
                for (from, to) in [(&dir, &aside), (&link, &dir), (&dir, &link), (&aside, &dir)] {
                    fs::rename(from, to).unwrap();
                    std::thread::yield_now();
                }
            }
        });
        let (mut written, mut refused) = (0, 0);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while (written < 500 || refused < 100) && std::time::Instant::now() < deadline {
            // Refused, or written into the folder that was there when it was opened.
            match place.write(&format!("etc/dir/{}", written % 10), "x") {
                Ok(()) => written += 1,
                Err(_) => refused += 1,
            }
        }
        swapping.store(false, std::sync::atomic::Ordering::Relaxed);
        assert!(written > 0 && refused > 0, "no race: {written} written, {refused} refused");
    });
    assert_eq!(fs::read_dir(place.real("precious")).unwrap().count(), 0);
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

#[test]
fn what_is_set_below_passes_no_link_and_no_second_name() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir_all(root.join("top/real")).unwrap();
    fs::create_dir_all(root.join("outside")).unwrap();
    for path in ["top/real/a", "outside/a", "outside/b"] {
        fs::write(root.join(path), path).unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o600)).unwrap();
    }
    symlink("../outside", root.join("top/link")).unwrap();
    fs::hard_link(root.join("outside/b"), root.join("top/second")).unwrap();
    let host = RealHost::open(root).unwrap();
    let new = NewAttributes { mode: Some(0o640), ..NewAttributes::default() };
    let all = ["gone", "link", "link/a", "second", "real/a"].map(|path| (path.to_owned(), new));
    host.set_attributes_below(&HostPath::new("/top").unwrap(), &all).unwrap();
    let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(["top/real/a", "outside/a", "outside/b"].map(mode), [0o640, 0o600, 0o600]);
}
