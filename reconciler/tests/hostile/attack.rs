//! A repository that is made to exhaust who reads it: refused at once, in little memory, with every place.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
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

/// Copies a folder, its last name first, with other modes and times.
fn copy_backwards(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let mut paths: Vec<_> = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable_by(|a, b| b.cmp(a));
    for path in paths {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_backwards(&path, &target);
        } else {
            fs::write(&target, fs::read(&path).unwrap()).unwrap();
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// What each host is to have, as one machine renders it.
fn render_all(hosts: &[String], machine: impl Fn() -> Command) -> Vec<Vec<u8>> {
    let render = |host: &String| {
        let output =
            machine().args(["render", host, "-o", "json", "-C", "state", "--facts", "facts"]).output().unwrap();
        assert!(output.status.success(), "{host}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    hosts.iter().map(render).collect()
}

/// Puts the program and its libraries below `root`: a machine with nothing else on it, no time zones, no locales.
fn install(root: &Path) {
    let program = env!("CARGO_BIN_EXE_muster");
    let libraries = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8(libraries.stdout).unwrap();
    for library in text.split_whitespace().filter(|word| word.starts_with('/')) {
        let target = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(library, target).unwrap();
    }
    fs::copy(program, root.join("muster")).unwrap();
}

#[test]
fn a40_two_machines_render_the_same_bytes() {
    let dir = TempDir::new().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples-repo");
    copy_backwards(&example, &other.join("state"));
    copy_backwards(&other.join("state"), &one.join("state"));
    let mut hosts = Vec::new();
    for environment in fs::read_dir(example.join("environments")).unwrap() {
        for host in fs::read_dir(environment.unwrap().path().join("hosts")).unwrap() {
            hosts.push(host.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    hosts.sort();
    for (number, host) in hosts.iter().enumerate() {
        let facts = format!(
            r#"{{"os":{{"family":"debian","id":"debian","version":"12","codename":"bookworm"}},"arch":"x86_64","cpus":2,
            "memory_mib":2048,"hostname":"{host}","address":"10.0.0.{number}","addresses":["10.0.0.{number}"],
            "virtualisation":null}}"#
        );
        write(&one, &format!("facts/{host}.json"), &facts);
    }
    copy_backwards(&one.join("facts"), &other.join("facts"));

    let here = render_all(&hosts, || {
        let mut muster = Command::new(env!("CARGO_BIN_EXE_muster"));
        muster.current_dir(&one).env("HOME", &one).env("TZ", "Pacific/Kiritimati").env("LANG", "C.UTF-8");
        muster
    });
    assert!(here.len() > 3 && here.iter().all(|bytes| bytes.len() > 2), "{hosts:?}");
    // The other has a file system of its own where that may be had.
    let id = Command::new("id").arg("-u").output().unwrap();
    let root = String::from_utf8(id.stdout).unwrap().trim() == "0";
    install(&other);
    let there = render_all(&hosts, || {
        let mut shell = Command::new("sh");
        let script = if root { "umask 0; exec chroot . /muster \"$@\"" } else { "umask 0; exec ./muster \"$@\"" };
        shell.args(["-c", script, "sh"]).current_dir(&other);
        shell.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        shell.env("HOME", "/nowhere").env("TZ", "America/St_Johns").env("LANG", "tr_TR.UTF-8").env("LC_ALL", "tr_TR");
        shell
    });
    assert!(here == there, "two machines render two things");
}
