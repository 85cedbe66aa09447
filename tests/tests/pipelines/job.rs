//! The whole job: a pull request of the example repository, in a real clone.

use std::path::Path;
use std::process::{Command, Output};

use muster_tests::programs;

use crate::examples;
use crate::forge::{Forge, Kind};

fn git(folder: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let mut git = Command::new("git");
    git.args(identity).args(args).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = git.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Runs the job's script in a clone, with the built muster first in the path.
fn run(clone: &Path, forge: &Forge) -> Output {
    let muster = programs::muster().unwrap();
    let path = format!("{}:{}", muster.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut script = Command::new("sh");
    script.arg("ci/plan.sh").current_dir(clone).env_clear().env("PATH", path).env("HOME", clone);
    script.env("GITHUB_BASE_REF", "main").envs(forge.variables()).output().unwrap()
}

#[test]
fn a_pull_request_has_one_comment_with_its_plan_and_then_with_its_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (origin, clone) = (folder.path().join("origin"), folder.path().join("clone"));
    assert!(Command::new("cp").arg("-r").arg(examples()).arg(&origin).status().unwrap().success());
    git(&origin, &["init", "-q", "-b", "main", "."]);
    git(&origin, &["add", "-A"]);
    git(&origin, &["commit", "-q", "-m", "Begin"]);
    git(folder.path(), &["clone", "-q", origin.to_str().unwrap(), clone.to_str().unwrap()]);
    git(&clone, &["checkout", "-q", "-b", "change"]);
    std::fs::remove_file(clone.join("environments/staging/hosts/stage-db-1.yaml")).unwrap();
    git(&clone, &["commit", "-q", "-a", "-m", "Retire a host"]);
    // What others merge meanwhile is no part of this change.
    std::fs::remove_file(origin.join("environments/production/hosts/web-2.yaml")).unwrap();
    git(&origin, &["commit", "-q", "-a", "-m", "Retire another"]);

    let forge = Forge::start(Kind::Gitea);
    let planned = run(&clone, &forge);
    assert_eq!(planned.status.code(), Some(0), "{}", String::from_utf8_lossy(&planned.stderr));
    let said = forge.comments();
    assert_eq!(said.len(), 1);
    assert!(said[0].1.starts_with("<!-- muster plan of example -->\n### Plan: 1 host, "), "{}", said[0].1);
    assert!(said[0].1.contains("on 1 host: `stage-db-1`"), "{}", said[0].1);
    assert_eq!(said[0].1.matches("**deletion**").count(), 1, "{}", said[0].1);
    assert!(clone.join("plan-full.md").exists());

    std::fs::write(clone.join("environments/staging/environment.yaml"), "resources: [\n").unwrap();
    assert_eq!(run(&clone, &forge).status.code(), Some(2), "a fault fails the job");
    let said = forge.comments();
    assert_eq!(said.len(), 1, "in place");
    assert!(said[0].1.contains("**fault** `environments/staging/environment.yaml:1:12`"), "{}", said[0].1);

    git(&clone, &["checkout", "-q", "--", "environments"]);
    forge.refuse_writes();
    let refused = run(&clone, &forge);
    assert_eq!(refused.status.code(), Some(0), "a fork's job ends well");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the token may not comment"));
}
