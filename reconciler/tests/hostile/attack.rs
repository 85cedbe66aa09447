//! A repository that is made to exhaust who reads it: refused at once, in little memory, with every place.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The most address space of the program, in KiB; a file of 100 MB fits once and a bomb does not.
const MAX_ADDRESS_SPACE_KIB: u32 = 512 * 1024;
const LONGEST: Duration = Duration::from_secs(20);

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn write_huge(root: &Path, path: &str) {
    write(root, path, "");
    File::options().write(true).open(root.join(path)).unwrap().set_len(100 * 1024 * 1024).unwrap();
}

fn alias_bomb() -> String {
    let level = |n: u32| format!("  a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    format!("settings:\n  a0: &a0 [x, x]\n{}", (1..12).map(level).collect::<String>())
}

fn validate(root: &Path) -> (Option<i32>, String) {
    let started = Instant::now();
    let script = format!("ulimit -v {MAX_ADDRESS_SPACE_KIB}; exec \"$0\" validate -o text \"$1\"");
    let program = env!("CARGO_BIN_EXE_muster");
    let output = Command::new("sh").args(["-c", &script, program]).arg(root).output().unwrap();
    assert!(started.elapsed() < LONGEST, "it took {:?}", started.elapsed());
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a38_a_hostile_folder_is_refused_with_every_place() {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    write(root, "muster.yaml", "schema: 1\nfleet: test\n");
    write(root, "environments/bomb/environment.yaml", &alias_bomb());
    write_huge(root, "environments/huge/environment.yaml");
    write(root, "environments/deep/environment.yaml", &format!("settings: {}", "[".repeat(100_000)));
    write(root, "environments/colliding/hosts/web-1.yaml", "labels: {role: web}\n");
    write(root, "environments/colliding/hosts/Web-1.yaml", "labels: {role: web}\n");
    write(root, "environments/lab/hosts/web-2.yaml", "applications: {app: {}}\n");
    let app = "resources:\n  files:\n    /huge: {source: huge}\n    /out: {source: ../../../muster.yaml}\n    \
               /link: {source: link}\n    /loop: {template: loop}\n";
    write(root, "applications/app/application.yaml", app);
    write_huge(root, "applications/app/files/huge");
    write(
        root,
        "applications/app/files/loop",
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    );
    symlink("/etc/shadow", root.join("applications/app/files/link")).unwrap();
    File::create(root.join("applications/app/files").join(OsStr::from_bytes(b"\xff"))).unwrap();

    let (code, text) = validate(root);
    assert_eq!(code, Some(2), "{text}");
    for place in [
        "environments/bomb/environment.yaml:",
        "environments/huge/environment.yaml:1:1: the file is larger than 1048576 bytes",
        "environments/deep/environment.yaml:1:",
        "environments/colliding/hosts/Web-1.yaml:1:1:",
        "applications/app/files/huge:1:1: the file is larger than",
        "applications/app/application.yaml:4:",
        "applications/app/files/link:1:1: the link leads out of the repository, to '/etc/shadow'",
        "applications/app/files/loop:1:",
        "a name that is not UTF-8 cannot be part of a state repository",
    ] {
        assert!(text.contains(place), "{place} is not in\n{text}");
    }
}

#[test]
fn a38_folders_without_end_are_refused() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "muster.yaml", "schema: 1\nfleet: test\n");
    fs::create_dir_all(dir.path().join("applications").join("d/".repeat(100))).unwrap();
    let (code, text) = validate(dir.path());
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("/d/d lies in more than 64 folders"), "{text}");
}
