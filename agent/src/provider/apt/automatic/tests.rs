use super::load_automatic;
use crate::host::{HostRead, RealHost};

#[test]
fn marked_packages_are_named() {
    let root = tempfile::tempdir().expect("a folder");
    let host = RealHost::open(root.path()).expect("a host");
    assert!(load_automatic(host.reader().as_mut()).expect("read").is_empty());
    let folder = root.path().join("var/lib/apt");
    std::fs::create_dir_all(&folder).expect("made");
    let text = "\nPackage: git-man\nArchitecture: amd64\nAuto-Installed: 1\n\n\
                Package: less\nArchitecture: amd64\nAuto-Installed: 0\n\nPackage: liberror-perl\nAuto-Installed: 1\n";
    std::fs::write(folder.join("extended_states"), text).expect("written");
    let names: Vec<String> = load_automatic(host.reader().as_mut()).expect("read").into_iter().collect();
    assert_eq!(names, ["git-man", "liberror-perl"]);
}
