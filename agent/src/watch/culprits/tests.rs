#![allow(clippy::disallowed_methods)]

use super::Culprits;
use crate::host::HostPath;
use crate::io::fanotify::Fanotify;
use crate::watch::owners::Owners;
use muster_schema::{Address, Culprit};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder whose names `file` and `other` are managed.
struct Place {
    folder: TempDir,
    culprits: Culprits,
}

/// Whether the kernel tells this process who does what.
fn is_told() -> bool {
    let told = Fanotify::open();
    if let Err(error) = &told {
        println!("skipped: needs root and fanotify: {error}");
    }
    told.is_ok()
}

impl Place {
    /// `quiet`: events are read when they are asked for and not before.
    fn make(quiet: bool) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let managed = folder.path().join("managed");
        fs::create_dir(&managed).unwrap();
        fs::write(managed.join("file"), "x").unwrap();
        for path in [folder.path(), &managed, &managed.join("file")] {
            let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            fs::set_permissions(path, everybody).unwrap();
        }
        let culprits = if quiet { Culprits::quiet() } else { Culprits::begin() }.unwrap();
        let ids = ["/managed/file", "/managed/other"];
        let owners = ids.map(|id| (HostPath::new(id).unwrap(), BTreeSet::from([address(id)])));
        culprits.set_owners(Arc::new(Owners::new(folder.path(), owners.into())));
        culprits.mark(&managed);
        Place { folder, culprits }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script in the folder as a process that is none of ours, as the user daemon. It is there until it is
    /// dropped, or until its script exits.
    fn outsider(&self, script: &str) -> Outsider {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let pipes = [folder.path().join("go"), folder.path().join("end")];
        let made = Command::new("mkfifo").args(["-m", "666"]).args(&pipes).status().unwrap();
        assert!(made.success());
        // setsid ends, so that the script has another parent than us, and only then it goes on.
        let all = format!(r#"echo $$ >"$1/pid"; read go <"$1/go"; {script}; : >"$1/done"; read end <"$1/end""#);
        let begun = Command::new("setsid")
            .args(["--fork", "setpriv", "--reuid=1", "--clear-groups", "sh", "-c", &all, "sh"])
            .arg(folder.path())
            .current_dir(self.path("managed"))
            .status();
        assert!(begun.unwrap().success());
        fs::write(folder.path().join("go"), "go\n").unwrap();
        let pid = fs::read_to_string(folder.path().join("pid")).unwrap().trim().parse().unwrap();
        let outsider = Outsider { pid, folder };
        wait(|| outsider.folder.path().join("done").exists() || !outsider.is_there());
        outsider
    }

    fn culprit(&self) -> Option<Culprit> {
        self.culprits.take(None).remove(&address("/managed/file"))
    }
}

struct Outsider {
    pid: u32,
    folder: TempDir,
}

impl Outsider {
    fn is_there(&self) -> bool {
        Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        if self.is_there() {
            fs::write(self.folder.path().join("end"), "end\n").unwrap();
            wait(|| !self.is_there());
        }
    }
}

fn address(id: &str) -> Address {
    format!("files{id}").parse().unwrap()
}

fn wait(done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn who_edits_a_file_is_known_until_it_was_looked_at() {
    if !is_told() {
        return;
    }
    let place = Place::make(false);
    let outsider = place.outsider("echo edited >>file");
    let other = BTreeSet::from([address("/managed/other")]);
    assert_eq!(place.culprits.take(Some(&other)), BTreeMap::new(), "not of what was not touched");
    let culprit = place.culprit().unwrap();
    assert_eq!((culprit.pid, culprit.uid), (Some(outsider.pid), Some(1)));
    assert_eq!((culprit.name.as_deref(), culprit.user.as_deref()), (Some("sh"), Some("daemon")));
    let program = fs::canonicalize("/bin/sh").unwrap();
    assert_eq!(culprit.program.as_deref(), program.to_str());
    assert!(!culprit.others);
    assert_eq!(place.culprit(), None);
}

#[test]
fn a_rename_over_a_file_is_told_as_well() {
    if !is_told() {
        return;
    }
    let place = Place::make(false);
    let outsider = place.outsider("echo new >../new; exec mv ../new file");
    // It is gone at once; who it was may have been read in time or not.
    let culprit = place.culprit().unwrap();
    assert_eq!(culprit.pid, Some(outsider.pid));
    assert!(matches!(culprit.name.as_deref(), None | Some("mv")), "{culprit}");
    assert!(matches!(culprit.uid, None | Some(1)), "{culprit}");
}

#[test]
fn of_a_process_that_is_gone_only_its_id_is_known() {
    if !is_told() {
        return;
    }
    let place = Place::make(true);
    let outsider = place.outsider("echo edited >file; exit");
    assert!(!outsider.is_there());
    let gone = Culprit { pid: Some(outsider.pid), ..Culprit::default() };
    assert_eq!(place.culprit(), Some(gone));
}

#[test]
fn what_we_start_is_not_to_blame() {
    if !is_told() {
        return;
    }
    let place = Place::make(true);
    let child = |script: &str| -> Child {
        // A shell below a shell: what a package manager's script does is ours, too.
        let script = format!("sh -c '{script}'; :");
        Command::new("sh").args(["-c", &script]).current_dir(place.path("managed")).spawn().unwrap()
    };
    assert!(Command::new("mkfifo").arg(place.path("end")).status().unwrap().success());
    let mut alive = child("echo ours >file; : >../done; read end <../end");
    wait(|| place.path("done").exists());
    assert_eq!(place.culprit(), None);
    fs::write(place.path("end"), "end\n").unwrap();
    assert!(alive.wait().unwrap().success());
    // We are at work since the look: what has ended by now may have been ours.
    assert!(child("echo ours >file").wait().unwrap().success());
    assert_eq!(place.culprit(), None);
    fs::write(place.path("managed/file"), "ours").unwrap();
    assert_eq!(place.culprit(), None);
    // At rest, it is somebody else.
    place.culprits.rest();
    let outsider = place.outsider("echo edited >file; exit");
    assert_eq!(place.culprit().unwrap().pid, Some(outsider.pid));
}

#[test]
fn the_last_one_is_named_and_that_there_were_others() {
    if !is_told() {
        return;
    }
    let place = Place::make(false);
    let first = place.outsider("echo one >file");
    let second = place.outsider("echo two >file");
    let culprit = place.culprit().unwrap();
    assert_ne!(first.pid, second.pid);
    assert_eq!((culprit.pid, culprit.others), (Some(second.pid), true));
}

#[test]
fn where_events_were_lost_nobody_is_named() {
    if !is_told() {
        return;
    }
    let place = Place::make(true);
    let _outsider = place.outsider("echo edited >file");
    let most = fs::read_to_string("/proc/sys/fs/fanotify/max_queued_events").unwrap();
    let most: usize = most.trim().parse().unwrap();
    for number in 0..most {
        fs::write(place.path(&format!("managed/{number}")), "").unwrap();
    }
    assert_eq!(place.culprit(), None);
    // It goes on from there.
    place.culprits.rest();
    let outsider = place.outsider("echo again >file");
    assert_eq!(place.culprit().unwrap().pid, Some(outsider.pid));
}

#[test]
fn folders_that_move_away_are_not_told_of_and_the_others_are() {
    if !is_told() {
        return;
    }
    let place = Place::make(false);
    fs::rename(place.path("managed"), place.path("away")).unwrap();
    place.culprits.unmark(&place.path("managed"));
    fs::create_dir(place.path("managed")).unwrap();
    fs::set_permissions(place.path("managed"), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    place.culprits.mark(&place.path("managed"));
    for number in 0..=super::MAX_STALE {
        let folder = place.path(&number.to_string());
        fs::create_dir(&folder).unwrap();
        place.culprits.mark(&folder);
        fs::rename(&folder, place.path(&format!("{number}-away"))).unwrap();
        place.culprits.unmark(&folder);
    }
    let _of_no_concern = place.outsider("echo x >../away/file");
    assert_eq!(place.culprit(), None);
    let outsider = place.outsider("echo x >file");
    assert_eq!(place.culprit().unwrap().pid, Some(outsider.pid));
}
