#![allow(clippy::unwrap_used)]
use std::time::Duration;

use super::*;
use crate::enrolment::test_token::{TestToken, machine_key};
use crate::status::Standing;
use crate::status::test_fleet::NOW;
use crate::test_repository::TestRepository;

const FILE: &str = "environments/lab/hosts/web-1.yaml";
const TOKEN: &str = "enrolment/tokens/one.yaml";

/// A repository in which web-1 is of the role web, and a token for hosts of the role web.
struct Scene {
    repo: TestRepository,
    token: TestToken,
}

impl Scene {
    fn new() -> Scene {
        let repo = TestRepository::new();
        repo.write("environments/lab/environment.yaml", "labels: {}\n");
        repo.write(FILE, "labels: {role: web}\n");
        repo.commit_as("alice", "a host");
        Scene { repo, token: TestToken::new() }
    }

    fn commit(&self, files: &[(&str, &str)]) -> Oid {
        files.iter().for_each(|(path, content)| self.repo.write(path, content));
        self.repo.commit_as("alice", "files")
    }

    fn add_token(&self) -> Oid {
        self.commit(&[(TOKEN, &self.token.document("hosts: role=web", NOW, NOW.plus(Duration::from_secs(60))))])
    }

    fn remove_token(&self) -> Oid {
        self.repo.git(&["rm", "-q", TOKEN]);
        self.repo.commit_as("alice", "no token")
    }

    fn side(&self) {
        self.repo.git(&["checkout", "-q", "-b", "side"]);
    }

    /// Merges the side branch into main, which went on meanwhile.
    fn merge(&self) -> Oid {
        self.repo.git(&["checkout", "-q", "main"]);
        self.commit(&[("notes", "main goes on\n")]);
        self.repo.merge_as("alice", "side")
    }

    /// What is said of web-1, bound at this revision, by a trusted `main`.
    fn judge(&self, revision: Oid) -> Result<(), TokenProofError> {
        let (key, recipient) = (machine_key(), "age1machine");
        let binding = Binding {
            name: "one".to_owned(),
            revision: revision.to_string().parse().unwrap(),
            expires: NOW,
            host: "web-1".parse().unwrap(),
            environment: "lab".to_owned(),
            key,
            recipient: recipient.to_owned(),
            claim: self.token.claim("test", &key, recipient, None),
            at: NOW,
            confirmed: false,
            ended: None,
            standing: Standing::Unchecked,
        };
        verify_binding_below(&self.repo.open(), self.repo.head(), &"test".parse().unwrap(), &binding)
    }

    fn judge_beside(&self, revision: Oid, merge: Oid) -> NotBorneOut {
        match self.judge(revision) {
            Err(TokenProofError::NotBorneOut(NotBorneOut::OnlyBeside { named, merge: by, reason })) => {
                assert_eq!((named, by), (revision.to_string(), merge.to_string()));
                *reason
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_token_that_stood_on_the_watched_branch_binds_also_when_it_is_gone() {
    let scene = Scene::new();
    let before = scene.repo.head();
    let with = scene.add_token();
    assert!(scene.judge(with).is_ok());
    let without = scene.remove_token();
    for _ in 0..3 {
        scene.commit(&[]);
    }
    assert!(scene.judge(with).is_ok());
    for revision in [before, without] {
        let refused = scene.judge(revision).unwrap_err();
        assert!(matches!(refused, TokenProofError::NotBorneOut(NotBorneOut::NoToken { .. })), "{refused}");
    }
    scene.repo.git(&["checkout", "-q", "-b", "elsewhere", &before.to_string()]);
    let refused = scene.judge(with).unwrap_err();
    assert!(matches!(refused, TokenProofError::NotBorneOut(NotBorneOut::OtherHistory(_))), "{refused}");
}

#[test]
fn a_token_that_stood_only_on_a_branch_before_its_merge_binds_nothing() {
    let scene = Scene::new();
    scene.side();
    let beside = scene.add_token();
    scene.remove_token();
    let merge = scene.merge();
    assert!(matches!(scene.judge_beside(beside, merge), NotBorneOut::NoToken { .. }));
    scene.commit(&[("notes", "more\n")]);
    assert!(matches!(scene.judge_beside(beside, merge), NotBorneOut::NoToken { .. }));
}

#[test]
fn a_host_that_a_token_gave_only_on_a_branch_is_not_given() {
    let scene = Scene::new();
    scene.commit(&[(FILE, "labels: {role: db}\n")]);
    scene.add_token();
    scene.side();
    let beside = scene.commit(&[(FILE, "labels: {role: web}\n")]);
    scene.commit(&[(FILE, "labels: {role: db}\n")]);
    let merge = scene.merge();
    assert!(matches!(scene.judge_beside(beside, merge), NotBorneOut::NotGiven(_)));
}

#[test]
fn what_a_merge_brought_to_the_watched_branch_binds_and_so_does_what_a_pull_left_beside() {
    let scene = Scene::new();
    scene.side();
    let beside = scene.add_token();
    let merge = scene.merge();
    assert!(scene.judge(merge).is_ok());
    assert!(scene.judge(beside).is_ok());
    // What was the newest revision is the second parent of a merge by git pull.
    let scene = Scene::new();
    scene.side();
    scene.commit(&[("notes", "mine\n")]);
    scene.repo.git(&["checkout", "-q", "main"]);
    let newest = scene.add_token();
    scene.repo.git(&["checkout", "-q", "side"]);
    scene.repo.merge_as("alice", "main");
    scene.repo.git(&["branch", "-q", "-f", "main"]);
    assert!(scene.judge(newest).is_ok());
}
