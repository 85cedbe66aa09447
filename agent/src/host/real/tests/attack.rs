//! Those who would lead the agent elsewhere: nothing is written outside the plan.

use super::*;

#[test]
fn a41_other_names_of_a_file_are_left_alone() {
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
fn a41_a_link_is_replaced_and_never_written_through() {
    let place = Place::new();
    fs::write(place.real("victim"), "untouched").unwrap();
    symlink("../victim", place.real("etc/f")).unwrap();
    place.write("etc/f", "new").unwrap();
    assert_eq!((read(place.real("victim")), read(place.real("etc/f"))), ("untouched".into(), "new".into()));
    assert!(!fs::symlink_metadata(place.real("etc/f")).unwrap().is_symlink());
}

#[test]
fn a41_pipes_and_directories_are_refused() {
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
fn a41_a_link_out_of_the_tree_ends_in_the_tree() {
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
fn a41_what_is_set_below_passes_no_link_and_no_second_name() {
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

#[test]
fn a41_a_magic_link_of_the_kernel_leads_nowhere() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let (proc, outside) = (place.real("proc"), place.dir.path().join("outside"));
    fs::create_dir(&proc).unwrap();
    fs::create_dir(&outside).unwrap();
    let mounted = Command::new("mount").args(["-t", "proc", "proc"]).arg(&proc).output().unwrap();
    if !mounted.status.success() {
        eprintln!("SKIPPED: cannot mount");
        return;
    }
    let open = fs::File::open(&outside).unwrap();
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&open);
    symlink(format!("/proc/{}/fd/{descriptor}", std::process::id()), place.real("etc/descriptor")).unwrap();
    symlink("/proc/self/root", place.real("etc/root")).unwrap();
    symlink("/proc/self/root", place.real("etc/file")).unwrap();
    let below_root = format!("etc/root{}/f", outside.display());
    let written = ["etc/descriptor/f", &below_root].map(|path| place.write(path, "x"));
    let direct = place.write(&format!("proc/{}/fd/{descriptor}/f", std::process::id()), "x");
    assert!(Command::new("umount").arg(&proc).status().unwrap().success());
    assert!(written.iter().chain([&direct]).all(Result::is_err), "{written:?} {direct:?}");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    // The last one is replaced, not followed.
    place.write("etc/file", "inside").unwrap();
    assert_eq!(read(place.real("etc/file")), "inside");
}

#[test]
fn a41_a_new_file_gets_no_bit_that_nobody_asked_for() {
    let place = Place::new();
    place.write("etc/plain", "x").unwrap();
    assert_eq!(fs::metadata(place.real("etc/plain")).unwrap().mode() & 0o7000, 0);
    // Another name of a program with rights: the new content does not get them.
    fs::write(place.real("su"), "program").unwrap();
    fs::set_permissions(place.real("su"), fs::Permissions::from_mode(0o4755)).unwrap();
    symlink("../su", place.real("etc/link")).unwrap();
    place.write("etc/link", "x").unwrap();
    assert_eq!(fs::symlink_metadata(place.real("etc/link")).unwrap().mode() & 0o7000, 0);
    assert_eq!(
        (read(place.real("su")), fs::metadata(place.real("su")).unwrap().mode() & 0o7777),
        ("program".into(), 0o4755)
    );
}
