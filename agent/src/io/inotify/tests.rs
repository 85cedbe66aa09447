use super::WatchMask;
use notify::{Event, RecursiveMode, Watcher};
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::Duration;

#[test]
fn reading_wakes_nobody_and_every_change_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "one").unwrap();
    let (sender, events) = channel();
    let tell = move |event: notify::Result<Event>| sender.send(event.unwrap()).unwrap();
    let (mut watcher, mask) = WatchMask::of_new(|| notify::recommended_watcher(tell)).unwrap();
    watcher.watch(folder.path(), RecursiveMode::NonRecursive).unwrap();
    mask.unwrap().leave_out_reading(folder.path());

    fs::read(&file).unwrap();
    fs::read_dir(folder.path()).unwrap().for_each(drop);
    // Whatever reading told would come before this.
    let told = |of: &PathBuf| loop {
        let event = events.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(!event.kind.is_access() || event.paths == [of.clone()], "{event:?}");
        if event.paths.contains(of) {
            while events.recv_timeout(Duration::from_millis(200)).is_ok() {}
            return;
        }
    };
    let other = folder.path().join("other");
    fs::write(&other, "two").unwrap();
    told(&other);
    fs::write(&file, "three").unwrap();
    told(&file);
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    told(&file);
    fs::rename(&other, &file).unwrap();
    told(&file);
    fs::remove_file(&file).unwrap();
    told(&file);
    fs::remove_dir(folder.path()).unwrap();
    told(&folder.path().to_owned());
}
