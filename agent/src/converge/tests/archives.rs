//! Archives that are unpacked on a real tree: nothing leads out of it, and all goes back.

use super::*;
use crate::host::Notes;
use crate::host::fake::{FakeHost, Node, What};
use crate::test_crash::crash_at;
use crate::test_tar::Tar;
use crate::test_web::{Web, send};
use muster_schema::Sha256Digest;
use std::collections::BTreeMap;
use std::process::Command;

fn digest(content: &[u8]) -> String {
    Sha256Digest::of(content).to_string()
}

/// All below a folder: kind, mode, path, target, and content of files.
fn tree(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let find = Command::new("find").args([".", "-printf", "%y %m %p %l\n"]).current_dir(sandbox.path(folder)).output();
    let mut lines: Vec<String> = String::from_utf8(find.unwrap().stdout).unwrap().lines().map(str::to_owned).collect();
    for line in &mut lines {
        if line.starts_with('f') {
            let path = line.split(' ').nth(2).unwrap();
            let content = fs::read_to_string(sandbox.path(folder).join(path)).unwrap();
            line.push_str(&content);
        }
    }
    lines.sort();
    lines
}

fn first() -> Tar {
    Tar::default()
        .folder("app-1/", 0o755)
        .file("app-1/bin/tool", 0o755, "tool 1")
        .file("app-1/conf/app.conf", 0o640, "default")
        .file("app-1/only-1", 0o644, "1\n")
        .link("app-1/current", "bin/tool")
}

fn second() -> Tar {
    Tar::default()
        .file("app-2/bin/tool", 0o755, "tool 2")
        .file("app-2/conf/app.conf", 0o640, "default")
        .file("app-2/README", 0o644, "2")
        .link("app-2/current", "bin/tool")
}

fn app(url: &str, archive: &[u8]) -> Value {
    json!({"archives/app": {"dest": "/opt/app", "url": url, "sha256": digest(archive), "strip": 1}})
}

const FIRST: [&str; 8] = [
    "d 755 . ",
    "d 755 ./bin ",
    "d 755 ./conf ",
    "f 640 ./conf/app.conf default",
    "f 644 ./only-1 1\n",
    "f 755 ./bin/tool tool 1",
    "l 777 ./current bin/tool",
    "",
];

#[test]
fn is_unpacked_heals_follows_its_archive_and_goes() {
    let sandbox = Sandbox::new();
    let (one, two) = (first().gzip(), second().bytes());
    let web = {
        let (one, two) = (one.clone(), two.clone());
        Web::start(move |path, stream| send(stream, if path == "/1" { &one } else { &two }))
    };
    let wanted = app(&web.url("/1"), &one);
    sandbox.converge(&wanted);
    assert_eq!(tree(&sandbox, "opt/app"), FIRST[..7]);
    assert_eq!(web.asked(), 1, "looking again fetches nothing");

    for drift in [
        (|sandbox: &Sandbox| sandbox.write("opt/app/bin/tool", "edited", 0o755)) as fn(&Sandbox),
        |sandbox| sandbox.write("opt/app/conf/app.conf", "default", 0o666),
        |sandbox| fs::remove_dir_all(sandbox.path("opt/app/bin")).unwrap(),
        |sandbox| fs::remove_file(sandbox.path("opt/app/current")).unwrap(),
        |sandbox| {
            fs::remove_file(sandbox.path("opt/app/only-1")).unwrap();
            symlink("/etc/passwd", sandbox.path("opt/app/only-1")).unwrap();
        },
        |sandbox| fs::remove_dir_all(sandbox.path("opt/app")).unwrap(),
    ] {
        drift(&sandbox);
        sandbox.converge_for(&wanted, Cause::Corrective);
        assert_eq!(tree(&sandbox, "opt/app"), FIRST[..7]);
    }
    // A second archive takes away what only the first had; other people's files stay.
    sandbox.write("opt/app/bin/theirs", "theirs", 0o644);
    sandbox.converge(&app(&web.url("/2"), &two));
    let two = tree(&sandbox, "opt/app");
    assert!(two.contains(&"f 755 ./bin/tool tool 2".to_owned()) && two.contains(&"f 644 ./README 2".to_owned()));
    assert!(!sandbox.path("opt/app/only-1").exists());
    drop(web);

    sandbox.converge(&json!({}));
    assert_eq!(tree(&sandbox, "opt/app"), ["d 755 . ", "d 755 ./bin ", "f 644 ./bin/theirs theirs"]);
}

#[test]
fn what_was_replaced_comes_back_whichever_archive_replaced_it() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("opt/app/bin")).unwrap();
    for (path, content, mode) in [("bin/tool", "mine", 0o700), ("README", "read mine", 0o600), ("other", "x", 0o644)] {
        sandbox.write(&format!("opt/app/{path}"), content, mode);
    }
    symlink("other", sandbox.path("opt/app/only-1")).unwrap();
    let found = tree(&sandbox, "opt");
    let (one, two) = (first().gzip(), second().gzip());
    let (web_one, web_two) = (Web::of(&one), Web::of(&two));
    sandbox.converge(&app(&web_one.url("/"), &one));
    assert_eq!(fs::read_to_string(sandbox.path("opt/app/bin/tool")).unwrap(), "tool 1");
    sandbox.converge(&app(&web_two.url("/"), &two));
    assert_eq!(fs::read_link(sandbox.path("opt/app/only-1")).unwrap(), Path::new("other"), "the first one's left");
    assert_eq!(fs::read_to_string(sandbox.path("opt/app/README")).unwrap(), "2");
    drop((web_one, web_two));
    sandbox.converge(&json!({}));
    assert_eq!(tree(&sandbox, "opt"), found);
}

#[test]
fn comes_from_the_repository_or_from_the_host() {
    let sandbox = Sandbox::new();
    let tar = first().gzip();
    let mut converger = sandbox.open(Vec::new());
    let content = converger.managed.blobs.keep_bytes(&tar).unwrap();
    let attributes = json!({"content": content, "dest": "/opt/app", "strip": 1});
    let resources = load(&converger.managed.blobs, &json!({"archives/app": attributes}));
    converger.set_resources(resources).unwrap();
    converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap();
    assert_eq!(tree(&sandbox, "opt/app"), FIRST[..7]);
    drop(converger);
    fs::write(sandbox.path("etc/app.tgz"), &tar).unwrap();
    let local = json!({"path": "/etc/app.tgz", "sha256": digest(&tar), "dest": "/opt/local", "strip": 1});
    sandbox.converge(&json!({"archives/local": local}));
    assert!(!sandbox.path("opt/app").exists(), "the other one left");
    assert_eq!(tree(&sandbox, "opt/local"), FIRST[..7]);
}

#[test]
fn an_archive_that_is_refused_writes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("etc/victim", "victim", 0o644);
    let good = || Tar::default().file("a", 0o644, "a");
    let bomb = Tar::default().file("zeros", 0o644, &"\0".repeat(1 << 20)).gzip();
    let cases = [
        (good().file("../../etc/victim", 0o644, "x").gzip(), "'..'"),
        (good().link("out", "../../etc").file("out/victim", 0o644, "x").bytes(), "out of the destination"),
        (good().file("b", 0o4755, "x").bytes(), "set-id"),
        (bomb, "max_bytes"),
        (b"no archive at all".repeat(100), "cannot be read"),
    ];
    for (tar, said) in cases {
        let web = Web::of(&tar);
        let attributes = json!({"dest": "/opt/app", "url": web.url("/"), "sha256": digest(&tar), "max_bytes": 100_000});
        let converged = sandbox.converge(&json!({"archives/app": attributes}));
        let outcome = converged.outcomes.iter().find(|one| one.address.to_string() == "archives/app").unwrap();
        assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
        assert!(outcome.message.contains(said), "{said}: {}", outcome.message);
        assert!(!sandbox.path("opt/app").exists(), "{said}");
        assert_eq!(sandbox.file("etc/victim").0, "victim");
    }
}

#[test]
fn nothing_is_written_or_removed_through_a_link_of_the_host() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("opt/app")).unwrap();
    fs::create_dir_all(sandbox.path("srv/bin")).unwrap();
    symlink("/srv/bin", sandbox.path("opt/app/bin")).unwrap();
    let tar = first().gzip();
    let web = Web::of(&tar);
    let converged = sandbox.converge(&app(&web.url("/"), &tar));
    let outcome = converged.outcomes.iter().find(|one| one.address.to_string() == "archives/app").unwrap();
    assert_eq!(outcome.state, Some(ResourceState::Blocked), "{outcome:?}");
    assert_eq!(fs::read_dir(sandbox.path("srv/bin")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(sandbox.path("opt/app")).unwrap().count(), 1);

    fs::remove_file(sandbox.path("opt/app/bin")).unwrap();
    sandbox.converge(&app(&web.url("/"), &tar));
    // Somebody moves a folder of ours away, and leaves a link to it.
    fs::remove_dir(sandbox.path("srv/bin")).unwrap();
    fs::rename(sandbox.path("opt/app/bin"), sandbox.path("srv/bin")).unwrap();
    symlink("/srv/bin", sandbox.path("opt/app/bin")).unwrap();
    sandbox.converge(&json!({}));
    assert_eq!(fs::read_to_string(sandbox.path("srv/bin/tool")).unwrap(), "tool 1");
}

#[test]
fn other_resources_keep_their_files_and_a_purge_leaves_it_alone() {
    let sandbox = Sandbox::new();
    let tar = first().gzip();
    let web = Web::of(&tar);
    let mut wanted = app(&web.url("/"), &tar);
    wanted["directories/opt"] = json!({"purge": true});
    wanted["files/opt/app/conf/app.conf"] = json!({"text": "ours", "mode": "0600"});
    wanted["lines/tool"] = json!({"path": "/opt/app/only-1", "line": "more"});
    sandbox.converge(&wanted);
    assert_eq!(sandbox.file("opt/app/conf/app.conf"), ("ours".to_owned(), 0o600));
    assert_eq!(sandbox.file("opt/app/only-1").0, "1\nmore\n");
    assert_eq!(sandbox.file("opt/app/bin/tool").0, "tool 1");
    // The file leaves: the archive's own comes.
    sandbox.converge(&app(&web.url("/"), &tar));
    assert_eq!(sandbox.file("opt/app/conf/app.conf"), ("default".to_owned(), 0o640));
    sandbox.converge(&json!({}));
    assert!(!sandbox.path("opt/app").exists(), "{:?}", tree(&sandbox, "opt"));
}

#[test]
fn an_audit_writes_nothing_and_absent_takes_away() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("opt")).unwrap();
    let tar = first().gzip();
    let web = Web::of(&tar);
    let mut wanted = app(&web.url("/"), &tar);
    wanted["archives/app"]["meta"] = json!({"mode": "audit"});
    sandbox.converge(&wanted);
    assert_eq!((fs::read_dir(sandbox.path("opt")).unwrap().count(), web.asked()), (0, 0));
    sandbox.converge(&app(&web.url("/"), &tar));
    assert!(sandbox.path("opt/app").exists());
    sandbox.converge(&json!({"archives/app": {"dest": "/opt/app", "meta": {"state": "absent"}}}));
    assert_eq!(fs::read_dir(sandbox.path("opt")).unwrap().count(), 0);
}

fn last(converged: &Converged) -> (Option<ResourceState>, String) {
    last_of(converged, "archives/app")
}

#[test]
fn what_somebody_edited_stays_until_it_is_removed() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("opt/app/conf")).unwrap();
    sandbox.write("opt/app/conf/app.conf", "found", 0o600);
    let tar = first().gzip();
    let web = Web::of(&tar);
    sandbox.converge(&app(&web.url("/"), &tar));
    sandbox.write("opt/app/conf/app.conf", "mine", 0o644);
    let (state, message) = last(&sandbox.converge(&json!({})));
    assert_eq!(state, Some(ResourceState::Retained), "{message}");
    assert!(message.contains("conf/app.conf"), "{message}");
    assert_eq!(tree(&sandbox, "opt/app"), ["d 755 . ", "d 755 ./conf ", "f 644 ./conf/app.conf mine"]);
    fs::remove_file(sandbox.path("opt/app/conf/app.conf")).unwrap();
    assert_eq!(last(&sandbox.converge(&json!({}))).0, None);
    assert_eq!(sandbox.file("opt/app/conf/app.conf"), ("found".to_owned(), 0o600));
}

#[test]
fn archives_of_the_tar_program_are_unpacked_whole() {
    let packed = tempfile::tempdir().unwrap();
    let long = format!("app/{}/{}", "d".repeat(120), "f".repeat(200));
    fs::create_dir_all(packed.path().join(&long).parent().unwrap()).unwrap();
    fs::write(packed.path().join(&long), "long").unwrap();
    symlink(&long[4..], packed.path().join("app/link")).unwrap();
    fs::write(packed.path().join("app/large"), "x".repeat(300_000)).unwrap();
    for (format, compress) in [("gnu", "--gzip"), ("pax", "--gzip"), ("pax", "--no-auto-compress"), ("gnu", "--xz")] {
        let made = packed.path().join("app.tar");
        let args = [&format!("--format={format}"), compress, "-cf", made.to_str().unwrap(), "app"];
        assert!(Command::new("tar").args(args).current_dir(packed.path()).status().unwrap().success());
        let tar = fs::read(&made).unwrap();
        let web = Web::of(&tar);
        let sandbox = Sandbox::new();
        let converged = sandbox.converge(&app(&web.url("/"), &tar));
        if compress == "--xz" {
            let (state, message) = last(&converged);
            assert_eq!(state, Some(ResourceState::Blocked));
            assert!(message.contains("packed by xz; only tar"), "{message}");
            continue;
        }
        let same = Command::new("diff").arg("-r").args([packed.path().join("app"), sandbox.path("opt/app")]).status();
        assert!(same.unwrap().success(), "{format} {compress}");
        assert_eq!(fs::read_link(sandbox.path("opt/app/link")).unwrap(), Path::new(&long[4..]));
    }
}

#[test]
fn two_archives_in_one_folder_are_refused() {
    let sandbox = Sandbox::new();
    let (one, two) = (first().gzip(), second().gzip());
    let (web_one, web_two) = (Web::of(&one), Web::of(&two));
    let mut wanted = app(&web_one.url("/"), &one);
    wanted["archives/rival"] = app(&web_two.url("/"), &two)["archives/app"].clone();
    let (state, message) = last(&sandbox.converge(&wanted));
    assert_eq!(state, Some(ResourceState::Blocked));
    assert!(message.contains("archives/rival"), "{message}");
    assert!(!sandbox.path("opt/app").exists());
}

/// Converges a host in memory, as a process does that was started under the manifest `before`.
fn converge_fake(dir: &Path, host: &FakeHost, before: &Value, wanted: &Value) -> Converged {
    let managed = super::properties::open(dir, host);
    let (before, resources) = (load(&managed.blobs, before), load(&managed.blobs, wanted));
    let mut converger = Converger::begin(managed, before, Enforcement::Enforce, now()).unwrap();
    converger.set_resources(resources).unwrap();
    converger.converge(Cause::Intentional, Extent::All, &|| false, now).unwrap()
}

#[test]
fn wherever_the_process_ends_the_next_one_finishes_and_goes_back() {
    let folder = || Node::new(What::Directory, 0o755);
    let found: BTreeMap<String, Node> = [
        ("/".to_owned(), folder()),
        ("/opt".to_owned(), folder()),
        ("/opt/app".to_owned(), Node { mode: 0o700, ..folder() }),
        ("/opt/app/README".to_owned(), Node::new(What::File(b"found".to_vec()), 0o600)),
        ("/opt/app/current".to_owned(), Node::new(What::Link("a".to_owned()), 0o777)),
    ]
    .into();
    let (one, two) = (first().gzip(), second().gzip());
    let (one_url, two_url) = ("http://elsewhere/1", "http://elsewhere/2");
    let (first, second) = (app(one_url, &one), app(two_url, &two));
    let world = || {
        let dir = tempfile::tempdir().unwrap();
        let host = FakeHost::new(found.clone()).with_notes(Notes::open(&dir.path().join("notes")).unwrap());
        host.serve(one_url, &one);
        host.serve(two_url, &two);
        converge_fake(dir.path(), &host, &json!({}), &first);
        (dir, host)
    };
    let undisturbed = {
        let (dir, host) = world();
        converge_fake(dir.path(), &host, &first, &second);
        host.tree()
    };
    assert!(undisturbed.contains_key("/opt/app/bin/tool") && !undisturbed.contains_key("/opt/app/only-1"));
    for crash in 0.. {
        // The next process goes on, or takes back what the last one had begun, or that one died in taking back.
        let (dir, host) = world();
        let crashed = crash_at(crash, || converge_fake(dir.path(), &host, &first, &second)).is_none();
        converge_fake(dir.path(), &host, &second, &second);
        assert_eq!(host.tree(), undisturbed, "crash at {crash}");

        let (dir, host) = world();
        let _ = crash_at(crash, || converge_fake(dir.path(), &host, &first, &second));
        let back = converge_fake(dir.path(), &host, &second, &json!({}));
        assert!(back.outcomes.iter().all(|one| one.state.is_none()), "crash at {crash}: {:?}", back.outcomes);
        assert_eq!(host.tree(), found, "back after a crash at {crash}");

        let (dir, host) = world();
        let gone = crash_at(crash, || converge_fake(dir.path(), &host, &first, &json!({}))).is_some();
        converge_fake(dir.path(), &host, &json!({}), &json!({}));
        assert_eq!(host.tree(), found, "taken back with a crash at {crash}");
        if !crashed && gone {
            assert!(crash >= 10, "only {crash} points");
            break;
        }
    }
}
