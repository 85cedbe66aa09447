#![allow(clippy::unwrap_used, clippy::disallowed_methods)]
use clap::Parser;

use super::*;
use crate::test_repository::TestRepository;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

const APPLICATION: &str = "applications/base/application.yaml";
const TEMPLATE: &str = "applications/base/files/motd";

fn application(mode: &str) -> String {
    format!(
        "resources:\n  files:\n    /etc/motd:\n      template: motd\n      owner: root\n      mode: \"{mode}\"\n    \
         /etc/site: {{content: plain}}\n"
    )
}

/// A fleet whose parts were written by different commits.
fn repository() -> TestRepository {
    let repo = TestRepository::new();
    repo.write("environments/lab/environment.yaml", "applications: {base: {}}\n");
    repo.write("environments/lab/hosts/web-1.yaml", "labels: {}\n");
    repo.write(APPLICATION, &application("0600"));
    repo.write(TEMPLATE, "one\n");
    repo.commit_as("alice", "base: Begin");
    repo.write(TEMPLATE, "two\n");
    repo.commit_as("alice", "base: Greet twice");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write(APPLICATION, &application("0644"));
    repo.commit_as("alice", "base: Let everybody read");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("notes", "main goes on\n");
    repo.commit_as("alice", "notes: Go on");
    repo.merge_as("alice", "side");
    repo
}

fn trace(repo: &TestRepository, args: &[&str]) -> Result<Vec<Traced>, String> {
    let work = repo.work();
    let all = [&["trace", "--repo", work.to_str().unwrap()], args].concat();
    let args = Command::try_parse_from(all).unwrap().args;
    args.trace(&FactsOfFleet::default()).map_err(|error| format!("{error:#}"))
}

#[test]
fn each_attribute_has_the_commit_that_git_blames() {
    let repo = repository();
    // What lies in the working tree does not count.
    repo.write(APPLICATION, "# not committed\n");
    let traced = trace(&repo, &["web-1", "files/etc/motd"]).unwrap();
    assert_eq!(traced.len(), 3);
    let mut subjects = Vec::new();
    for one in traced {
        let Traced { attribute, origin, file_origin } = one;
        assert_eq!((&*attribute.place.file, attribute.layer.as_str()), (APPLICATION, "application base"));
        let line = format!("{0},{0}", attribute.place.line);
        let blamed = repo.git(&["blame", "--porcelain", "-L", &line, "main", "--", APPLICATION]);
        assert_eq!(blamed.split(' ').next(), Some(origin.commit.as_str()), "{}", attribute.attribute);
        assert_eq!(repo.git(&["log", "-1", "--format=%an %ae %ct000", origin.commit.as_str()]), {
            format!("{} {} {}", origin.author, origin.email, origin.at.0)
        });
        let last = file_origin.map(|last| last.commit.to_string());
        let wanted = attribute.file.as_deref().map(|file| repo.git(&["log", "-1", "--format=%H", "main", "--", file]));
        assert_eq!(last, wanted);
        subjects.push((attribute.attribute, origin.subject, wanted.is_some()));
    }
    let subject = |name: &str| subjects.iter().find(|(attribute, ..)| attribute == name).cloned().unwrap();
    assert_eq!(subject("content"), ("content".to_owned(), "base: Begin".to_owned(), true));
    assert_eq!(subject("mode"), ("mode".to_owned(), "base: Let everybody read".to_owned(), false));
}

#[test]
fn an_earlier_revision_is_traced_by_its_own_history() {
    let repo = repository();
    let traced = trace(&repo, &["web-1", "files/etc/motd", "--revision", "main~1"]).unwrap();
    assert!(traced.iter().all(|one| one.origin.subject == "base: Begin"));
}

#[test]
fn what_is_not_there_is_said_with_what_is_near() {
    let repo = repository();
    let refused = |args: &[&str]| trace(&repo, args).unwrap_err();
    assert!(refused(&["web-2", "files/etc/motd"]).contains("there is no host 'web-2'"));
    assert!(refused(&["web-1", "files/etc/modt"]).contains("files/etc/motd"));
    assert!(refused(&["web-1", "files/etc/motd", "--revision", "nope"]).contains("no revision nope"));
}
