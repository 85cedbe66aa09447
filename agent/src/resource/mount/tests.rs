#![allow(clippy::disallowed_methods)]

use super::fstab::{Fstab, entry_of, line_of, unescape};
use crate::provider::apt::test_archive::run;
use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use crate::test_machine::enter;
use muster_schema::resource::{Meta, MountSpec, ResourceSpec};
use muster_schema::state::ResourceState;
use serde_json::json;
use std::fs;
use std::process::Command;

const FOUND: &str =
    "# static\nUUID=1 /\text4 errors=remount-ro 0 1\n/dev/sr0 /media/cd\\040rom udf,iso9660 user,noauto 0 0\n";

fn mounted(folder: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").expect("read");
    text.lines().rev().find(|line| line.split(' ').nth(4) == Some(folder)).map(str::to_owned)
}

#[test]
fn lines_are_found_changed_and_escaped() {
    let fstab = Fstab(FOUND.to_owned());
    let cd = fstab.find("/media/cd rom").expect("one");
    assert_eq!(cd.as_deref(), Some("/dev/sr0 udf,iso9660 user,noauto 0 0"));
    assert_eq!(fstab.find("/srv").expect("none"), None);
    assert_eq!(
        fstab.with_line("/media/cd rom", None),
        FOUND.lines().take(2).map(|l| format!("{l}\n")).collect::<String>()
    );
    assert_eq!(
        fstab.with_line("/srv/a b", Some("tmpfs tmpfs ro 0 0")),
        format!("{FOUND}tmpfs /srv/a\\040b tmpfs ro 0 0\n")
    );
    let changed = fstab.with_line("/", Some("UUID=2 ext4 ro 0 1"));
    assert_eq!(changed, FOUND.replace("UUID=1 /\text4 errors=remount-ro 0 1", "UUID=2 / ext4 ro 0 1"));
    assert!(Fstab("a /x b\nc /x/ d\n".to_owned()).find("/x").is_err());
    let spec: MountSpec = serde_json::from_value(json!({"what": "/a b#c", "options": "bind"})).expect("a spec");
    assert_eq!(line_of(&spec), "/a\\040b\\043c none bind 0 0");
    assert_eq!(entry_of(&line_of(&spec)).expect("an entry").what, "/a b#c");
    assert_eq!(unescape("a\\040b\\0"), "a b\\0");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for bad in [
        json!({}),
        json!({"what": "tmpfs"}),
        json!({"what": "--all", "type": "tmpfs"}),
        json!({"what": "a\nb", "type": "tmpfs"}),
        json!({"what": "tmpfs", "type": "tmpfs", "options": "ro 0 0\nx"}),
    ] {
        let spec: MountSpec = serde_json::from_value(bad.clone()).expect("a spec");
        assert!(spec.contradiction(&Meta::default()).is_some(), "{bad}");
    }
}

#[test]
fn mounts_and_lines_heal_and_go_back_to_what_was_found() {
    if !enter("resource::mount::tests::mounts_and_lines_heal_and_go_back_to_what_was_found") {
        return;
    }
    fs::write("/etc/fstab", FOUND).expect("write");
    let wanted = |options: &str| {
        json!({
            "directories/srv/cache": {},
            "mounts/srv/cache": {"what": "tmpfs", "type": "tmpfs", "options": options},
            "directories/srv/cache/inside": {"mode": "0700"},
            "directories/srv/source": {},
            "directories/srv/shown": {},
            "mounts/srv/shown": {"what": "/srv/source", "options": "bind", "in_fstab": false,
                "meta": {"requires": ["directories/srv/source"]}},
        })
    };
    assert!(!differences(&wanted("size=1m")).is_empty());
    assert_eq!(fs::read_to_string("/etc/fstab").expect("read"), FOUND);
    converge_wholly(&wanted("size=1m"));
    assert!(mounted("/srv/cache").expect("mounted").contains("size=1024k"));
    assert!(mounted("/srv/shown").expect("mounted").contains(" /srv/source /srv/shown "));
    assert!(fs::metadata("/srv/cache/inside").is_ok(), "made on what is mounted");
    let text = format!("{FOUND}tmpfs /srv/cache tmpfs size=1m 0 0\n");
    assert_eq!(fs::read_to_string("/etc/fstab").expect("read"), text);
    run(Command::new("umount").arg("/srv/shown"));
    fs::write("/etc/fstab", FOUND).expect("write");
    converge_wholly(&wanted("size=2m"));
    assert!(mounted("/srv/cache").expect("mounted").contains("size=2048k"), "remounted");
    assert!(mounted("/srv/shown").is_some());
    // What is in use stays, and says so.
    let held = fs::File::open("/srv/cache/inside").expect("open");
    let outcomes = converge(&json!({"directories/srv/cache/inside": {}, "directories/srv/cache": {}}));
    let outcome = outcome_of(&outcomes, "mounts/srv/cache");
    assert_eq!(outcome.state, Some(ResourceState::Error), "{outcome:?}");
    assert!(mounted("/srv/cache").is_some());
    drop(held);
    converge_wholly(&json!({}));
    assert_eq!((mounted("/srv/cache"), mounted("/srv/shown")), (None, None));
    assert_eq!(fs::read_to_string("/etc/fstab").expect("read"), FOUND);
    assert!(fs::metadata("/srv/cache").is_err());
}

#[test]
fn what_is_not_ours_or_not_there_is_said() {
    if !enter("resource::mount::tests::what_is_not_ours_or_not_there_is_said") {
        return;
    }
    let found = fs::read_to_string("/etc/fstab").unwrap_or_default();
    fs::create_dir_all("/srv/taken").expect("folder");
    run(Command::new("mount").args(["-t", "tmpfs", "somebody", "/srv/taken"]));
    fs::create_dir_all("/srv/bad").expect("folder");
    let outcomes = converge(&json!({
        "mounts/srv/taken": {"what": "other", "type": "tmpfs"},
        "mounts/srv/missing": {"what": "tmpfs", "type": "tmpfs"},
        "mounts/srv/bad": {"what": "/dev/muster-none", "type": "ext4"},
    }));
    let state = |address: &str| outcome_of(&outcomes, address).state;
    assert_eq!(state("mounts/srv/taken"), Some(ResourceState::Blocked), "{outcomes:?}");
    assert_eq!(state("mounts/srv/missing"), Some(ResourceState::Blocked), "{outcomes:?}");
    assert_eq!(state("mounts/srv/bad"), Some(ResourceState::Error), "{outcomes:?}");
    assert_eq!(fs::read_to_string("/etc/fstab").unwrap_or_default(), found, "a line that does not work stops a boot");
    converge_wholly(&json!({"mounts/srv/taken": {"what": "somebody", "type": "tmpfs", "meta": {"state": "absent"}}}));
    assert_eq!(mounted("/srv/taken"), None);
}

/// A loop device with a file system of its own, detached when it is dropped.
struct Loop(String);

impl Loop {
    fn with_file_system(file: &str, uuid: &str) -> Loop {
        fs::File::create(file).expect("made").set_len(8 << 20).expect("sized");
        run(Command::new("mkfs.ext4").args(["-q", "-U", uuid, file]));
        let output = Command::new("losetup").args(["--find", "--show", file]).output().expect("runs");
        assert!(output.status.success(), "{output:?}");
        Loop(String::from_utf8(output.stdout).expect("text").trim().to_owned())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

/// udev makes the links to devices by name; here the test does, in a /dev of its own.
#[test]
fn a_device_by_its_name_is_the_device() {
    if !enter("resource::mount::tests::a_device_by_its_name_is_the_device") {
        return;
    }
    if !std::path::Path::new("/dev/loop-control").exists() {
        println!("skipped: a_device_by_its_name_is_the_device needs loop devices");
        return;
    }
    fs::write("/etc/fstab", FOUND).expect("write");
    for folder in ["/tmp/up", "/tmp/work", "/srv/data"] {
        fs::create_dir_all(folder).expect("folder");
    }
    run(Command::new("mount").args(["-t", "overlay", "overlay"]).args([
        "-o",
        "lowerdir=/dev,upperdir=/tmp/up,workdir=/tmp/work",
        "/dev",
    ]));
    let uuids = ["0a3407de-014b-458b-b5c1-848e92a327a3", "1a3407de-014b-458b-b5c1-848e92a327a3"];
    let devices = ["/tmp/one", "/tmp/two"].iter().zip(uuids).map(|(file, uuid)| Loop::with_file_system(file, uuid));
    let devices: Vec<Loop> = devices.collect();
    fs::create_dir_all("/dev/disk/by-uuid").expect("folder");
    for (device, uuid) in devices.iter().zip(uuids) {
        let target = device.0.replace("/dev/", "../../");
        std::os::unix::fs::symlink(target, format!("/dev/disk/by-uuid/{uuid}")).expect("link");
    }
    let wanted = |uuid: &str| json!({"mounts/srv/data": {"what": format!("UUID={uuid}"), "type": "ext4"}});
    converge_wholly(&wanted(uuids[0]));
    assert!(mounted("/srv/data").expect("mounted").contains(&format!("ext4 {} ", devices[0].0)));
    let line = format!("UUID={} /srv/data ext4 defaults 0 0\n", uuids[0]);
    assert_eq!(fs::read_to_string("/etc/fstab").expect("read"), format!("{FOUND}{line}"));
    // Somebody unmounts it; then another is there.
    run(Command::new("umount").arg("/srv/data"));
    converge_wholly(&wanted(uuids[0]));
    assert!(mounted("/srv/data").is_some());
    let other = converge(&wanted(uuids[1]));
    assert_eq!(outcome_of(&other, "mounts/srv/data").state, Some(ResourceState::Blocked), "{other:?}");
    converge_wholly(&json!({}));
    assert_eq!(mounted("/srv/data"), None);
    assert_eq!(fs::read_to_string("/etc/fstab").expect("read"), FOUND);
}
