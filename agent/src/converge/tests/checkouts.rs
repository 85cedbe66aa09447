//! Files of commits on a real tree, from repositories that the git program made.

use super::*;
use crate::test_web::{Web, send};
use std::process::Command;

/// A repository with two commits: the second edits, adds and removes.
struct Repository {
    folder: tempfile::TempDir,
    first: String,
    second: String,
}

impl Repository {
    fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        let mut repository = Repository { folder, first: String::new(), second: String::new() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write("site/index.html", "one", 0o644);
        repository.write("bin/tool", "tool", 0o755);
        repository.write("only-first", "1", 0o644);
        symlink("bin/tool", repository.path("current")).unwrap();
        repository.first = repository.commit();
        repository.write("site/index.html", "two", 0o644);
        repository.write("README", "2", 0o644);
        fs::remove_file(repository.path("only-first")).unwrap();
        repository.second = repository.commit();
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str, mode: u32) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false"];
        let mut git = Command::new("git");
        git.current_dir(self.folder.path()).args(who).args(arguments);
        let output = git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=Change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn url(&self) -> String {
        format!("file://{}", self.folder.path().display())
    }
}

fn site(url: &str, revision: &str) -> Value {
    json!({"checkouts/site": {"url": url, "revision": revision, "dest": "/srv/site"}})
}

/// Kind, mode and path of all that is in the folder.
fn tree(sandbox: &Sandbox) -> Vec<String> {
    let find = Command::new("find").args([".", "-printf", "%y %m %p\n"]).current_dir(sandbox.path("srv/site")).output();
    let mut lines: Vec<String> = String::from_utf8(find.unwrap().stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

const FIRST: [&str; 7] = [
    "d 755 .",
    "d 755 ./bin",
    "d 755 ./site",
    "f 644 ./only-first",
    "f 644 ./site/index.html",
    "f 755 ./bin/tool",
    "l 777 ./current",
];
const SECOND: [&str; 7] = [
    "d 755 .",
    "d 755 ./bin",
    "d 755 ./site",
    "f 644 ./README",
    "f 644 ./site/index.html",
    "f 755 ./bin/tool",
    "l 777 ./current",
];

fn last(converged: &Converged) -> (Option<ResourceState>, String) {
    last_of(converged, "checkouts/site")
}

#[test]
fn follows_its_revision_heals_and_goes() {
    let repository = Repository::new();
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("srv/site")).unwrap();
    sandbox.write("srv/site/README", "found", 0o600);
    sandbox.write("srv/site/other", "other", 0o600);
    let with_other = |tree: &[&str]| {
        let mut all: Vec<String> =
            tree.iter().map(|line| (*line).to_owned()).chain(["f 600 ./other".to_owned()]).collect();
        all.sort();
        all
    };

    sandbox.converge(&site(&repository.url(), &repository.first));
    let mut first = with_other(&FIRST);
    first.push("f 600 ./README".to_owned());
    first.sort();
    assert_eq!(tree(&sandbox), first);
    sandbox.converge(&site(&repository.url(), &repository.second));
    assert_eq!(tree(&sandbox), with_other(&SECOND), "no longer the first one's, and no .git");
    assert_eq!(sandbox.file("srv/site/site/index.html").0, "two");
    assert_eq!(sandbox.file("srv/site/README").0, "2");

    for drift in [
        (|sandbox: &Sandbox| sandbox.write("srv/site/site/index.html", "edited", 0o644)) as fn(&Sandbox),
        |sandbox| fs::remove_dir_all(sandbox.path("srv/site/bin")).unwrap(),
        |sandbox| fs::set_permissions(sandbox.path("srv/site/bin/tool"), fs::Permissions::from_mode(0o666)).unwrap(),
    ] {
        drift(&sandbox);
        sandbox.converge_for(&site(&repository.url(), &repository.second), Cause::Corrective);
        assert_eq!(tree(&sandbox), with_other(&SECOND));
        assert_eq!(sandbox.file("srv/site/site/index.html").0, "two");
    }
    let wanted = site(&repository.url(), &repository.second);
    drop(repository);
    assert_eq!(sandbox.converge(&wanted).changes(), 0, "looking again fetches nothing");

    sandbox.converge(&json!({}));
    assert_eq!(tree(&sandbox), ["d 755 .", "f 600 ./README", "f 600 ./other"]);
    assert_eq!(sandbox.file("srv/site/README").0, "found");
}

#[test]
fn comes_from_a_server_that_gives_no_single_commits() {
    let repository = Repository::new();
    let bare = tempfile::tempdir().unwrap();
    let copy = bare.path().join("site.git");
    repository.git(&["clone", "--quiet", "--bare", ".", copy.to_str().unwrap()]);
    repository.git(&["--git-dir", copy.to_str().unwrap(), "update-server-info"]);
    let web = Web::start(move |path, stream| {
        let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
        match fs::read(bare.path().join(path)) {
            Ok(content) => send(stream, &content),
            Err(_) => {
                use std::io::Write;
                let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        }
    });
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("srv")).unwrap();
    sandbox.converge(&site(&web.url("/site.git"), &repository.first));
    assert_eq!(tree(&sandbox), FIRST);
}

#[test]
fn what_does_not_come_or_leads_out_writes_nothing() {
    let repository = Repository::new();
    let nowhere = "0".repeat(39) + "1";
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("srv")).unwrap();
    let (state, message) = last(&sandbox.converge(&site(&repository.url(), &nowhere)));
    assert_eq!(state, Some(ResourceState::Error), "{message}");
    assert!(message.contains(&format!("has no commit {nowhere}")), "{message}");

    let missing = format!("{}/missing", repository.url());
    let (state, message) = last(&sandbox.converge(&site(&missing, &repository.first)));
    assert_eq!(state, Some(ResourceState::Error), "{message}");
    assert!(message.contains("missing gives nothing"), "{message}");

    symlink("../../etc", repository.path("out")).unwrap();
    let third = repository.commit();
    let (state, message) = last(&sandbox.converge(&site(&repository.url(), &third)));
    assert_eq!(state, Some(ResourceState::Blocked), "{message}");
    assert!(message.contains("out of the destination"), "{message}");

    let mut small = site(&repository.url(), &repository.first);
    small["checkouts/site"]["max_bytes"] = json!(100);
    let (state, message) = last(&sandbox.converge(&small));
    assert_eq!(state, Some(ResourceState::Blocked), "{message}");
    assert!(message.contains("max_bytes"), "{message}");
    assert!(!sandbox.path("srv/site").exists());
}

#[test]
fn an_audit_and_a_rival_write_nothing() {
    let repository = Repository::new();
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("srv")).unwrap();
    let mut wanted = site(&repository.url(), &repository.first);
    wanted["checkouts/site"]["meta"] = json!({"mode": "audit"});
    let (state, message) = last(&sandbox.converge(&wanted));
    assert_eq!(state, Some(ResourceState::NonCompliant), "{message}");
    let mut wanted = site(&repository.url(), &repository.first);
    wanted["checkouts/rival"] = wanted["checkouts/site"].clone();
    let (state, message) = last(&sandbox.converge(&wanted));
    assert_eq!(state, Some(ResourceState::Blocked), "{message}");
    assert!(message.contains("checkouts/rival"), "{message}");
    assert!(!sandbox.path("srv/site").exists());
}
