//! The pipelines of `examples-repo`: the comment script against what the forges' API documents, and the YAML files.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

#[path = "pipelines/forge.rs"]
mod forge;
#[path = "pipelines/job.rs"]
mod job;
#[path = "pipelines/request.rs"]
mod request;
#[path = "pipelines/workflows.rs"]
mod workflows;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use forge::{Forge, Kind};

const MARKER: &str = "<!-- muster plan of test -->";
const KINDS: [Kind; 4] = [Kind::Gitea, Kind::Forgejo, Kind::GitHub, Kind::GitLab];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples-repo")
}

/// Runs the script as a job of `forge` does.
fn comment(forge: &Forge, text: &str, more: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.md");
    std::fs::write(&plan, text).unwrap();
    let mut script = Command::new("sh");
    script.arg(examples().join("ci/comment.sh")).arg(plan);
    script.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    script.envs(forge.variables()).envs(more.iter().copied()).output().unwrap()
}

fn run(forge: &Forge, text: &str) {
    let output = comment(forge, text, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_comment_is_made_once_and_then_edited_in_place() {
    for kind in KINDS {
        let forge = Forge::start(kind);
        forge.say("alice", "Looks good");
        let first = format!("{MARKER}\n### Plan: \"one\" \\ `x` \u{1f980}\n\ttab $HOME $(id)\n");
        run(&forge, &first);
        let second = format!("{MARKER}\n### Plan: two\n");
        run(&forge, &second);
        run(&forge, &second);
        let said = forge.comments();
        assert_eq!(said.len(), 2, "{kind:?}: {said:?}");
        assert_eq!(said[1], (kind.own_name().to_owned(), second), "{kind:?}");
        assert_eq!(forge.first_body_of(1), first, "{kind:?}: byte for byte");
        assert_eq!(forge.count_requests(kind.edit()), 2, "{kind:?}");
    }
}

#[test]
fn it_is_found_behind_hundreds_of_others() {
    for kind in KINDS {
        let forge = Forge::start(kind);
        // In the middle, for not all forges list from the same end.
        (0..250).for_each(|number| forge.say("alice", &format!("comment {number}")));
        run(&forge, &format!("{MARKER}\none\n"));
        (0..250).for_each(|number| forge.say("alice", &format!("comment {number}")));
        run(&forge, &format!("{MARKER}\ntwo\n"));
        let said = forge.comments();
        assert_eq!(said.len(), 501, "{kind:?}");
        assert_eq!(said[250].1, format!("{MARKER}\ntwo\n"), "{kind:?}");
    }
}

#[test]
fn the_comment_of_a_stranger_with_the_marker_is_left_alone() {
    for kind in KINDS {
        let forge = Forge::start(kind);
        let forged = format!("{MARKER}\n### Plan: no changes\n");
        forge.say("mallory", &forged);
        run(&forge, &format!("{MARKER}\nreal\n"));
        run(&forge, &format!("{MARKER}\nnewer\n"));
        let said = forge.comments();
        assert_eq!(said[0], ("mallory".to_owned(), forged), "{kind:?}");
        assert_eq!(said[1].1, format!("{MARKER}\nnewer\n"), "{kind:?}");
        assert_eq!(said.len(), 2, "{kind:?}");
    }
}

#[test]
fn each_fleet_has_its_comment() {
    let forge = Forge::start(Kind::Gitea);
    run(&forge, "<!-- muster plan of a -->\n1\n");
    run(&forge, "<!-- muster plan of ab -->\n2\n");
    run(&forge, "<!-- muster plan of a -->\n3\n");
    let said: Vec<String> = forge.comments().into_iter().map(|(_, text)| text).collect();
    assert_eq!(said, ["<!-- muster plan of a -->\n3\n", "<!-- muster plan of ab -->\n2\n"]);
}

#[test]
fn a_token_that_may_not_write_is_told_from_other_faults() {
    for kind in KINDS {
        let forge = Forge::start(kind);
        forge.refuse_writes();
        let output = comment(&forge, &format!("{MARKER}\none\n"), &[]);
        assert_eq!(output.status.code(), Some(3), "{kind:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(forge.comments(), [], "{kind:?}");
        let none = comment(&forge, &format!("{MARKER}\none\n"), &[("MUSTER_COMMENT_TOKEN", "")]);
        assert_eq!(none.status.code(), Some(3), "{kind:?}: a fork has no token");
        let wrong = comment(&forge, &format!("{MARKER}\none\n"), &[("MUSTER_COMMENT_TOKEN", "expired")]);
        assert_eq!(wrong.status.code(), Some(2), "{kind:?}: an expired token is a fault");
    }
}

#[test]
fn what_is_no_plan_or_too_long_is_not_said() {
    let forge = Forge::start(Kind::GitHub);
    assert_eq!(comment(&forge, "hello\n", &[]).status.code(), Some(2));
    let long = format!("{MARKER}\n{}", "x".repeat(65_536));
    assert_eq!(comment(&forge, &long, &[]).status.code(), Some(2), "GitHub refuses it");
    assert_eq!(forge.comments(), []);
    let longest = format!("{MARKER}\n{}", "x".repeat(60_000 - MARKER.len() - 1));
    run(&forge, &longest);
    assert_eq!(forge.comments()[0].1.len(), 60_000);
}
