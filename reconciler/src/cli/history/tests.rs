#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use clap::Parser;

use super::*;
use crate::test_repository::TestRepository;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

const HOST: &str = "environments/lab/hosts/web-1.yaml";

fn host(files: &str) -> String {
    format!("resources: {{files: {{{files}}}}}\n")
}

fn history(repo: &TestRepository, args: &[&str]) -> Result<Vec<Entry>, String> {
    let work = repo.work();
    let all = [&["history", "--repo", work.to_str().unwrap()], args].concat();
    let args = Command::try_parse_from(all).unwrap().args;
    args.entries(&FactsOfFleet::default()).map_err(|error| format!("{error:#}"))
}

fn told(repo: &TestRepository, args: &[&str]) -> Vec<String> {
    let tell = |entry: &Entry| {
        let changes: Vec<String> = entry.changes.iter().map(change_text).collect();
        let note = entry.note.as_deref().map(|note| note.split(':').next().unwrap_or_default().to_owned());
        let parts: Vec<String> = note.into_iter().chain(changes).collect();
        format!("{}: {}", entry.origin.subject, parts.join("; "))
    };
    history(repo, args).unwrap().iter().map(tell).collect()
}

/// A host that comes, changes, is faulty for a while, and goes.
fn repository() -> TestRepository {
    let repo = TestRepository::new();
    repo.write("environments/lab/environment.yaml", "labels: {}\n");
    let commit = |text: &str, subject: &str| {
        repo.write(HOST, text);
        repo.commit_as("alice", subject);
    };
    repo.commit_as("alice", "lab");
    commit(&host("/a: {content: one}"), "comes");
    repo.write("notes", "nothing of the host\n");
    repo.commit_as("alice", "notes");
    commit(&host("/a: {content: two}, /b: {content: one}"), "changes");
    commit("resources: [", "breaks");
    commit(&host("/b: {content: one}"), "mends");
    repo.git(&["checkout", "-q", "-b", "side"]);
    commit(&host("/b: {content: two}"), "on a branch");
    commit(&host("/b: {content: three}"), "on a branch again");
    repo.git(&["checkout", "-q", "main"]);
    repo.merge_as("alice", "side");
    repo
}

#[test]
fn every_commit_that_changed_the_host_is_told_the_newest_first() {
    let repo = repository();
    let all = [
        "merge: ~ files/b +1 −1",
        "mends: can be told again",
        "breaks: cannot be told",
        "changes: ~ files/a +1 −1; + files/b +1 −0",
        "comes: declared; + files/a +1 −0",
    ];
    assert_eq!(told(&repo, &["web-1"]), all);
    assert_eq!(told(&repo, &["web-1", "-n", "2"]), all[..2]);
    assert_eq!(told(&repo, &["web-1", "--revision", "main~2"]), all[2..]);
}

#[test]
fn of_one_resource_only_its_own_changes_are_told() {
    let told = told(&repository(), &["web-1", "files/a", "--revision", "main~3"]);
    assert_eq!(told, ["changes: ~ files/a +1 −1", "comes: declared; + files/a +1 −0"]);
}

#[test]
fn a_host_that_has_left_has_a_history_and_one_that_never_was_has_none() {
    let repo = repository();
    repo.git(&["rm", "-q", HOST]);
    repo.commit_as("alice", "goes");
    assert_eq!(told(&repo, &["web-1", "-n", "1"]), ["goes: not declared any more"]);
    assert!(history(&repo, &["web-2"]).unwrap_err().contains("there is no host 'web-2'"));
}
