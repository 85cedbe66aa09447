//! `muster validate`, `render` and `plan` as people run them: output, exit codes.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const FACTS: &str = r#"{"os":{"family":"debian","id":"debian","version":null,"codename":null},"arch":"x86_64","cpus":1,
    "memory_mib":1,"hostname":"h","address":null,"addresses":[],"virtualisation":null}"#;

fn muster(args: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster")).args(args).current_dir(dir).output().unwrap()
}

fn run(args: &[&str], dir: &Path) -> (Option<i32>, String) {
    let output = muster(args, dir);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn state() -> TempDir {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "muster.yaml", "schema: 1\nfleet: test\napplications: {base: {}}\n");
    write(dir.path(), "environments/lab/hosts/web-1.yaml", "settings: {base: {greeting: hi}}\n");
    write(dir.path(), "environments/lab/hosts/web-2.yaml", "{}\n");
    let application = "parameters: {greeting: {type: string, default: hello}}
resources:
  files: {/etc/motd: {content: \"{{ greeting }}\\n\", mode: '0644'}}
  commands: {seen: {argv: ['true'], run_on: [files/etc/motd]}}
";
    write(dir.path(), "applications/base/application.yaml", application);
    dir
}

fn commit(dir: &Path) {
    git(dir, &["init", "-q", "-b", "main", "."]);
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "state"]);
}

fn git(dir: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let mut git = Command::new("git");
    git.args(identity).args(args).current_dir(dir).env("HOME", dir).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = git.output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn validate_needs_no_git_and_tells_by_its_exit_code() {
    let dir = state();
    assert_eq!(run(&["validate"], dir.path()), (Some(0), "no faults in 2 hosts\n".to_owned()));
    write(dir.path(), "environments/lab/hosts/web-1.yaml", "setings: {}\n");
    write(dir.path(), "environments/lab/hosts/web-2.yaml", "resources: {files: {/x: {content: '{{ facts.arch }}'}}}\n");
    let expected = "environments/lab/hosts/web-1.yaml:1:1: unknown field 'setings'
    did you mean 'settings'?
web-2 waits for arch of web-2
1 fault in 2 hosts, 1 waiting
";
    assert_eq!(run(&["validate", "."], dir.path()), (Some(2), expected.to_owned()));
    let (code, json) = run(&["validate", "-o", "json"], dir.path());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, Some(2));
    let expected = serde_json::json!({
        "findings": [{
            "file": "environments/lab/hosts/web-1.yaml", "line": 1, "column": 1,
            "reason": "unknown field 'setings'", "hint": "did you mean 'settings'?",
            "scope": {"environments": ["lab"]},
        }],
        "waiting": {"web-2": [{"host": "web-2", "fact": "arch"}]},
        "hosts": 2,
    });
    assert_eq!(json, expected);
    let none = muster(&["validate", "nowhere"], dir.path());
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8(none.stderr).unwrap().contains("nowhere"));
}

#[test]
fn validate_takes_facts_and_revisions() {
    let dir = state();
    write(dir.path(), "environments/lab/hosts/web-2.yaml", "resources: {files: {/x: {content: '{{ facts.arch }}'}}}\n");
    write(dir.path(), "reported/3f/web-2.json", FACTS);
    let no_faults = (Some(0), "no faults in 2 hosts\n".to_owned());
    assert_eq!(run(&["validate", "--facts", "reported"], dir.path()), no_faults);
    commit(dir.path());
    write(dir.path(), "environments/lab/hosts/web-1.yaml", "setings: {}\n");
    let revision = ["validate", "--repo", ".", "--revision", "HEAD", "--facts", "reported"];
    assert_eq!(run(&revision, dir.path()), no_faults);
}

#[test]
fn render_shows_and_explains() {
    let dir = state();
    let (code, yaml) = run(&["render", "web-1", "-o", "yaml"], dir.path());
    let expected = "files:
  /etc/motd:
    application: base
    content: |
      hi
    mode: '0644'
";
    assert_eq!(code, Some(0));
    assert!(yaml.ends_with(expected), "{yaml}");
    let (_, json) = run(&["render", "web-1", "--explain", "files/etc/motd"], dir.path());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[1]["attribute"], "mode");
    assert_eq!(json[1]["layer"], "application base");
    assert_eq!(json[1]["place"]["line"], 3);
    let unknown = muster(&["render", "web-3"], dir.path());
    assert_eq!(unknown.status.code(), Some(2));
    let told = String::from_utf8(unknown.stderr).unwrap();
    assert!(told.contains("there is no host 'web-3', did you mean 'web-1'?"), "{told}");
}

#[test]
fn plan_compares_the_working_tree_with_a_revision() {
    let dir = state();
    commit(dir.path());
    assert_eq!(run(&["plan"], dir.path()), (Some(0), "no changes on 2 hosts\n".to_owned()));
    write(dir.path(), "environments/lab/hosts/web-1.yaml", "settings: {base: {greeting: ho}}\n");
    let expected = "~ files/etc/motd +1 −1, on host web-1
    @@ -1 +1 @@
    -hi
    +ho
! runs commands/seen, on host web-1
0 to remove, 1 to change, 0 to add, on 1 of 2 hosts
";
    assert_eq!(run(&["plan"], dir.path()), (Some(1), expected.to_owned()));
    assert_eq!(run(&["plan", "--base", "HEAD", "--head", "HEAD"], dir.path()).0, Some(0));
    let (code, markdown) = run(&["plan", "--format", "markdown"], dir.path());
    assert_eq!(code, Some(1));
    let expected = "<!-- muster plan of test -->
### Plan: 1 host, 1 change, 0 deletions, 0 restarts, 1 command run\n\nCompared with `main`.";
    assert!(markdown.starts_with(expected), "{markdown}");
    let (_, json) = run(&["plan", "--format", "json"], dir.path());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["changes"][0]["hosts"], serde_json::json!(["web-1"]));
    write(dir.path(), "environments/lab/hosts/web-1.yaml", "settings: [\n");
    let (code, told) = run(&["plan"], dir.path());
    assert_eq!(code, Some(2));
    assert!(
        told.starts_with(
            "environments/lab/hosts/web-1.yaml:1:11: not well-formed YAML: unclosed bracket '['\nno changes"
        ),
        "{told}"
    );
}

#[test]
fn plan_makes_a_comment_within_bounds_and_writes_all_of_it_to_a_file() {
    let dir = state();
    commit(dir.path());
    let files: String = (0..300).map(|index| format!("    /srv/a-long-name-{index}: {{content: x}}\n")).collect();
    write(dir.path(), "environments/lab/environment.yaml", &format!("resources:\n  files:\n{files}"));
    git(dir.path(), &["checkout", "-q", "-b", "change"]);
    git(dir.path(), &["add", "-A"]);
    git(dir.path(), &["commit", "-q", "-m", "Many files"]);
    let (code, comment) = run(
        &["plan", "--head", "change", "--format", "markdown", "--max-bytes", "9000", "--full", "full.md"],
        dir.path(),
    );
    assert_eq!(code, Some(1));
    assert!(comment.len() <= 9000, "{}", comment.len());
    let whole = fs::read_to_string(dir.path().join("full.md")).unwrap();
    assert_eq!(whole.matches("a-long-name").count(), 300);
    let told = comment.matches("a-long-name").count();
    assert!(comment.contains(&format!("**Not all is shown:** {} changes and the details of", 300 - told)), "{comment}");
    assert!(comment.contains("The whole is in `full.md` of the run that wrote this."), "{comment}");
    for max in ["9", "many"] {
        assert_eq!(run(&["plan", "--format", "markdown", "--max-bytes", max], dir.path()).0, Some(2), "{max}");
    }
}

#[test]
fn hostile_repositories_are_refused_in_bounded_time() {
    let dir = state();
    let large = fs::File::create(dir.path().join("environments/lab/hosts/large.yaml")).unwrap();
    large.set_len(100 << 20).unwrap();
    fs::create_dir_all(dir.path().join("applications/base/files")).unwrap();
    let content = fs::File::create(dir.path().join("applications/base/files/large")).unwrap();
    content.set_len(100 << 20).unwrap();
    write(dir.path(), "environments/lab/hosts/web-2.yaml", "resources: {files: {/x: {source: ../../../etc/passwd}}}\n");
    write(dir.path(), "profiles/large.yaml", "hosts: '*'\nresources: {files: {/l: {source: large}}}\n");
    fs::create_dir_all(dir.path().join("profiles/files")).unwrap();
    symlink("../../applications/base/files/large", dir.path().join("profiles/files/large")).unwrap();
    symlink("/etc/shadow", dir.path().join("profiles/shadow.yaml")).unwrap();
    let mut bomb = String::from("settings:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        bomb.push_str(&format!("  a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
    }
    write(dir.path(), "environments/lab/environment.yaml", &bomb);
    let started = Instant::now();
    let (code, told) = run(&["validate"], dir.path());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(code, Some(2));
    for expected in [
        "environments/lab/hosts/large.yaml:1:1: the file is larger than 1048576 bytes",
        "environments/lab/hosts/web-2.yaml:1:34: '../../../etc/passwd' is no path below files/",
        "profiles/shadow.yaml:1:1: the link leads out of the repository, to '/etc/shadow'",
        "profiles/large.yaml:2:34: 'profiles/files/large' is a link, and links are not followed",
        "aliases expanded",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(told.ends_with("5 faults in 3 hosts\n"), "{told}");
}

#[test]
fn a_tree_that_holds_itself_many_times_is_refused() {
    let dir = TempDir::new().unwrap();
    let repository = git2::Repository::init_bare(dir.path()).unwrap();
    let blob = repository.blob(b"x").unwrap();
    let mut tree = {
        let mut builder = repository.treebuilder(None).unwrap();
        builder.insert("x", blob, 0o100_644).unwrap();
        builder.write().unwrap()
    };
    for _ in 0..12 {
        let mut builder = repository.treebuilder(None).unwrap();
        for name in 0..10 {
            builder.insert(format!("f{name}"), tree, 0o040_000).unwrap();
        }
        tree = builder.write().unwrap();
    }
    let mut top = repository.treebuilder(None).unwrap();
    top.insert("applications", tree, 0o040_000).unwrap();
    let top = repository.find_tree(top.write().unwrap()).unwrap();
    let someone = git2::Signature::now("a", "a@example.org").unwrap();
    repository.commit(Some("refs/heads/main"), &someone, &someone, "bomb", &top, &[]).unwrap();
    let started = Instant::now();
    let refused = muster(&["validate", "--repo", "."], dir.path());
    assert_eq!(refused.status.code(), Some(2));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("more than 200000 files and folders"), "{told}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_reader_that_went_away_is_no_fault() {
    let dir = state();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut validate = Command::new(env!("CARGO_BIN_EXE_muster"));
    let output = validate.arg("validate").current_dir(dir.path()).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}

#[test]
fn facts_come_from_the_status_branch() {
    let dir = state();
    let reads = "resources: {files: {/x: {content: '{{ facts.arch }}'}}}\n";
    write(dir.path(), "environments/lab/hosts/web-2.yaml", reads);
    commit(dir.path());
    let last = |args: &[&str]| run(args, dir.path()).1.lines().last().map(str::to_owned).unwrap();
    assert_eq!(last(&["plan", "--head", "main"]), "no changes on 2 hosts; 1 cannot be told");

    // As the orchestrator's repository has it, then as a clone does.
    write(dir.path(), "facts/3f/web-2.json", FACTS);
    write(dir.path(), "facts/3f/web-1.json", "not facts");
    let status = git(dir.path(), &["commit-tree", "-m", "status", &tree_of(dir.path())]);
    for branch in ["refs/heads/status", "refs/remotes/origin/status"] {
        git(dir.path(), &["update-ref", branch, &status]);
        assert_eq!(last(&["plan", "--head", "main"]), "no changes on 2 hosts", "{branch}");
        assert_eq!(last(&["validate", "--repo", "."]), "no faults in 2 hosts", "{branch}");
        git(dir.path(), &["update-ref", "-d", branch]);
    }
}

/// A tree of everything that lies in the folder.
fn tree_of(dir: &Path) -> String {
    git(dir, &["add", "-A"]);
    let tree = git(dir, &["write-tree"]);
    git(dir, &["reset", "-q"]);
    tree
}

#[test]
fn a_terminal_sees_progress_and_a_pipe_does_not() {
    let dir = state();
    let validate = format!("{} validate", env!("CARGO_BIN_EXE_muster"));
    let mut script = Command::new("script");
    let on_terminal = script.args(["-qec", &validate, "/dev/null"]).env("TERM", "xterm").current_dir(dir.path());
    let seen = String::from_utf8(on_terminal.output().unwrap().stdout).unwrap();
    assert!(seen.contains("/2 hosts"), "{seen:?}");
    let piped = muster(&["validate"], dir.path());
    assert_eq!((piped.stdout.as_slice(), piped.stderr.as_slice()), (&b"no faults in 2 hosts\n"[..], &b""[..]));
}
