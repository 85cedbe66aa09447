//! `muster policy test`, by its output and exit code.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const ACCESS: &str = r#"teams: {web: [ana@example.org]}
rules:
  - who: [carol@example.org]
    may: [all]
  - who: ["team:web"]
    may: [write, approve]
    paths: ["applications/web/**"]
  - {who: [ana@example.org], may: [query], hosts: role=web}
approvals:
  - {paths: ["policy/**"], needs: 1, author_counts: true}
"#;

fn command(program: &str, args: &[&str], dir: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(program);
    for variable in ["GIT_AUTHOR", "GIT_COMMITTER"] {
        command.env(format!("{variable}_NAME"), "a").env(format!("{variable}_EMAIL"), "a@example.org");
    }
    let command = command.args(args).current_dir(dir).stdin(Stdio::null());
    let output = command.env("HOME", dir).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), told + &String::from_utf8_lossy(&output.stderr))
}

fn test(args: &[&str], dir: &Path) -> (Option<i32>, String) {
    command(env!("CARGO_BIN_EXE_muster"), &[&["policy", "test"], args].concat(), dir)
}

fn git(args: &[&str], dir: &Path) -> String {
    let (code, told) = command("git", args, dir);
    assert_eq!(code, Some(0), "{args:?}: {told}");
    told.trim().to_owned()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A repository signed by carol; ana has a key too.
fn state() -> TempDir {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    let mut signers = String::new();
    for name in ["carol", "ana"] {
        let (code, told) = command("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", name], root);
        assert_eq!(code, Some(0), "{told}");
        let public = fs::read_to_string(root.join(format!("{name}.pub"))).unwrap();
        signers += &format!("{name}@example.org {public}");
    }
    write(root, "state/muster.yaml", "schema: 1\nfleet: test\n");
    write(root, "state/policy/allowed_signers", &signers);
    write(root, "state/policy/revoked_signers", "");
    write(root, "state/policy/access.yaml", ACCESS);
    let state = root.join("state");
    git(&["init", "-q", "-b", "main"], &state);
    git(&["config", "gpg.format", "ssh"], &state);
    commit("carol", "first", &state);
    dir
}

fn commit(who: &str, message: &str, state: &Path) -> String {
    let key = state.parent().unwrap().join(who);
    git(&["config", "user.signingKey", key.to_str().unwrap()], state);
    git(&["add", "-A"], state);
    git(&["commit", "-q", "-S", "-m", message], state);
    git(&["rev-parse", "HEAD"], state)
}

#[test]
fn says_yes_or_no_and_why() {
    let dir = state();
    let state = dir.path().join("state");
    let ask = |who: &str, may: &str, path: &str| test(&["--who", who, "--may", may, "--path", path], &state);
    let web = "applications/web/application.yaml";
    let yes = "yes: ana@example.org may write applications/web/application.yaml, by rule 2 (policy/access.yaml:5)\n";
    assert_eq!(ask("ana@example.org", "write", web), (Some(0), yes.to_owned()));
    let no = "no: nothing lets ana@example.org merge applications/web/application.yaml: they have other rights by rule 2 (policy/access.yaml:5), rule 3 (policy/access.yaml:8)\n";
    assert_eq!(ask("ana@example.org", "merge", web), (Some(1), no.to_owned()));
    let (code, told) = ask("ana@example.org", "write", "muster.yaml");
    assert_eq!(code, Some(1));
    assert!(told.contains("they have it for other paths by rule 2"), "{told}");
    let (code, told) = ask("dora@example.org", "write", web);
    assert_eq!(code, Some(1));
    assert!(told.contains("no rule is for them"), "{told}");
    assert!(told.contains("lists a key for dora@example.org"), "{told}");
    let (code, told) = ask("carol@example.org", "merge", "policy/access.yaml");
    assert_eq!(code, Some(0));
    assert!(told.contains("needs 1 approvals (policy/access.yaml:10)"), "{told}");
    assert_eq!(test(&["--who", "ana@example.org", "--may", "query"], &state).0, Some(0));
    for faulty in [
        &["--who", "a", "--may", "write"][..],
        &["--who", "a", "--may", "query", "--path", "x"],
        &["--may", "write"],
        &["--who", "a", "--may", "all", "--path", "x"],
    ] {
        assert_eq!(test(faulty, &state).0, Some(2), "{faulty:?}");
    }
}

#[test]
fn without_a_question_it_shows_all_and_checks_the_policy() {
    let dir = state();
    let state = dir.path().join("state");
    let (code, told) = test(&[], &state);
    let expected = "\
SIGNER             WRITE                MERGE       APPROVE              QUERY  ACT
ana@example.org    applications/web/**  -           applications/web/**  yes    -
carol@example.org  everything           everything  everything           yes    yes
policy/** needs 1 approvals, the author's own among them (policy/access.yaml:10)
rule 3 (policy/access.yaml:8) is for hosts of 'role=web'
";
    assert_eq!((code, told.as_str()), (Some(0), expected));

    write(&state, "policy/access.yaml", &ACCESS.replace("author_counts: true", "author_counts: false"));
    let (code, told) = test(&[], &state);
    assert_eq!(code, Some(2));
    assert!(told.contains("error: a change of policy/access.yaml needs 1 approvals (line 10), and only 0"), "{told}");
    // The revision is another than the files that lie there.
    assert_eq!(test(&["--revision", "main"], &state).0, Some(0));

    write(&state, "policy/access.yaml", &ACCESS.replace("team:web", "team:wep"));
    let (code, told) = test(&["--who", "ana@example.org", "--may", "query"], &state);
    assert_eq!(code, Some(2));
    assert_eq!(told, "policy/access.yaml:5:11: there is no team 'wep'\n    did you mean 'web'?\n");
    fs::remove_file(state.join("policy/access.yaml")).unwrap();
    let (code, told) = test(&[], &state);
    assert_eq!(code, Some(2));
    assert!(told.contains("policy/access.yaml is missing"), "{told}");
}

#[test]
fn judges_commits_as_the_orchestrator_would() {
    let dir = state();
    let state = dir.path().join("state");
    let first = git(&["rev-parse", "HEAD"], &state);
    write(&state, "muster.yaml", "schema: 1\nfleet: test\nmode: audit\n");
    let good = commit("carol", "only look", &state);
    write(&state, "applications/web/x.yaml", "x");
    let bad = commit("ana", "a page", &state);
    let (code, told) = test(&["--commit", &good], &state);
    assert_eq!((code, told), (Some(0), format!("yes: {good} by carol@example.org: only look\n")));
    let (code, told) = test(&["--commit", "HEAD"], &state);
    assert_eq!(code, Some(1));
    assert!(told.starts_with(&format!("no: {bad}: NotAllowed: ana@example.org may not merge")), "{told}");
    assert!(told.contains("{who: [\"ana@example.org\"], may: [merge], paths: [\"applications/web/**\"]}"), "{told}");
    let (code, told) = test(&["--range", &format!("{first}..main")], &state);
    assert_eq!(code, Some(1));
    assert!(told.contains(&bad) && !told.contains(&good), "{told}");
    assert_eq!(test(&["--range", &format!("{first}..{good}")], &state).0, Some(0));
    for faulty in [&["--range", "main"][..], &["--range", "a..b"], &["--commit", "nothing"], &["--commit", &first]] {
        assert_eq!(test(faulty, &state).0, Some(2), "{faulty:?}");
    }
}

#[test]
fn bounds_are_asked_by_host_and_collection() {
    let dir = state();
    let state = dir.path().join("state");
    let rules = "  - {who: [ana@example.org], may: [write, merge], paths: [\"environments/**\"], hosts: role=web, collections: [files]}\n";
    let outputs = "outputs: [{paths: [\"environments/lab/**\"], collections: [files]}]\n";
    write(&state, "policy/access.yaml", &ACCESS.replace("approvals:\n", &format!("{rules}{outputs}approvals:\n")));
    for role in ["web", "db"] {
        write(&state, &format!("environments/lab/hosts/{role}-1.yaml"), &format!("labels: {{role: {role}}}\n"));
    }
    let path = "environments/lab/environment.yaml";
    let ask = |more: &[&str]| {
        let question = ["--who", "ana@example.org", "--may", "write", "--path", path];
        test(&[&question[..], more].concat(), &state)
    };
    let yes = format!(
        "yes: ana@example.org may write {path}, by rule 4 (policy/access.yaml:9)\n     as far as that acts on hosts of 'role=web', in files\n     what is written there is for all hosts, in files, by policy/access.yaml:10\n"
    );
    assert_eq!(ask(&[]), (Some(0), yes.clone()));
    assert_eq!(ask(&["--host", "web-1", "--collection", "files"]), (Some(0), yes));
    for more in [&["--host", "db-1"][..], &["--collection", "users"], &["--host", "web-1", "--collection", "users"]] {
        let (code, told) = ask(more);
        assert_eq!(code, Some(1), "{more:?}");
        assert!(told.contains("they have it for other hosts or collections by rule 4"), "{told}");
    }
    assert_eq!(ask(&["--host", "nobody"]).0, Some(2));
    let (code, told) = test(&[], &state);
    assert_eq!(code, Some(0), "{told}");
    for line in [
        "rule 4 (policy/access.yaml:9) is for hosts of 'role=web', in files\n    changes are judged by the facts of their time; 'outputs' would bind environments/** for good\n",
        "what is written in environments/lab/** is for all hosts, in files, by policy/access.yaml:10\n",
    ] {
        assert!(told.contains(line), "{told}");
    }
}

#[test]
fn a_forge_is_shown_as_one_and_has_no_rights() {
    let dir = state();
    let state = dir.path().join("state");
    write(&state, "policy/access.yaml", &format!("forge: [\"*@forge.example.org\"]\n{ACCESS}"));
    let (code, told) = test(&[], &state);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("*@forge.example.org is a forge: it makes clean merges"), "{told}");
    let (code, told) = test(&["--who", "bot@forge.example.org", "--may", "merge", "--path", "muster.yaml"], &state);
    assert_eq!(code, Some(1));
    assert!(told.contains("a forge has no rights of its own"), "{told}");
}

#[test]
fn a_merge_that_would_be_refused_says_whose_word_is_missing() {
    let dir = state();
    let state = dir.path().join("state");
    git(&["config", "user.name", "Carol"], &state);
    git(&["config", "user.email", "carol@example.org"], &state);
    let before = git(&["rev-parse", "HEAD"], &state);
    git(&["checkout", "-q", "-b", "side"], &state);
    write(&state, "policy/revoked_signers", "# none yet\n");
    let change = commit("carol", "nobody is revoked", &state);
    git(&["checkout", "-q", "main"], &state);
    let merge = || command(env!("CARGO_BIN_EXE_muster"), &["change", "merge", "side"], &state);
    let (code, told) = merge();
    assert_eq!(code, Some(1), "{told}");
    let says = format!("'policy/revoked_signers' needs 1 approvals by policy/access.yaml:10 at {before}, and");
    for part in [&says, "has 0", "    others who may", "who may approve 'policy/revoked_signers': carol@example.org\n"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.ends_with("Nothing is merged.\n"), "{told}");
    assert_eq!(git(&["rev-parse", "main"], &state), before);
    let (code, told) = command(env!("CARGO_BIN_EXE_muster"), &["change", "approve", "side"], &state);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = merge();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(&format!("{change} is merged into main")), "{told}");
}
