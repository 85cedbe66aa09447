//! Merges: who answers for what they bring about.

use git2::Oid;

use super::{TestRepository, reset, teams, verify};

const WEB: &str = "applications/web/application.yaml";

/// Commits this on the new branch `side`, and goes back to main.
fn propose(repo: &TestRepository, who: &str, path: &str, text: &str) -> Oid {
    repo.git(&["checkout", "-q", "-B", "side"]);
    repo.write(path, text);
    let id = repo.commit_as(who, "proposed");
    repo.git(&["checkout", "-q", "main"]);
    id
}

#[track_caller]
fn assert_refused(repo: &TestRepository, anchor: Oid, offered: Oid, culprit: Oid, says: &str) {
    let rejection = verify(repo, anchor, offered).expect_err("must be refused");
    assert_eq!((rejection.code(), rejection.commits[0].id), ("EffectNotAllowed", culprit), "{rejection}");
    assert!(rejection.to_string().contains(says), "{rejection}");
    reset(repo, anchor);
}

#[test]
fn a_branch_of_somebody_with_bounds_is_merged_by_each_who_may() {
    let (repo, anchor) = teams();
    propose(&repo, "ana", WEB, "resources: {}\n");
    for who in ["ana", "alice", "mona"] {
        let merge = repo.merge_as(who, "side");
        assert!(verify(&repo, anchor, merge).is_ok(), "{who}");
        reset(&repo, anchor);
    }
    // Taking main in changes nothing of that.
    repo.write("applications/db/application.yaml", "resources: {}\n");
    let anchor_after = repo.commit_as("alice", "db-1 changes meanwhile");
    assert!(verify(&repo, anchor, anchor_after).is_ok());
    repo.git(&["checkout", "-q", "side"]);
    repo.merge_as("ana", "main");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("ana", "side");
    assert!(verify(&repo, anchor_after, merge).is_ok());
}

#[test]
fn who_may_merge_on_some_hosts_does_not_merge_what_acts_on_others() {
    let (repo, anchor) = teams();
    propose(&repo, "alice", "applications/db/application.yaml", "resources: {}\n");
    let merge = repo.merge_as("mona", "side");
    assert_refused(&repo, anchor, merge, merge, "mona@example.com may not merge what changes files/etc/db on db-1");
}

/// A branch that a forge merged on its page.
fn merge_by_forge(repo: &TestRepository) -> Oid {
    repo.merge_as("mona", "side");
    repo.git(&["config", "user.signingKey", repo.key("forge").to_str().unwrap()]);
    repo.git(&["commit", "-q", "--amend", "-S", "--no-edit"]);
    repo.head()
}

#[test]
fn a_forge_merges_what_those_who_signed_for_the_branch_may() {
    let (repo, old) = teams();
    repo.make_key("forge", &["-t", "ed25519"]);
    let signers: String = ["alice", "ana", "mona", "forge"].iter().map(|name| repo.signer_line(name, "")).collect();
    repo.write("policy/allowed_signers", &signers);
    repo.write("policy/access.yaml", &format!("forge: [forge@example.com]\n{}", super::RULES));
    let anchor = repo.commit_as("alice", "a forge");
    assert!(verify(&repo, old, anchor).is_ok());

    propose(&repo, "ana", WEB, "resources: {}\n");
    let merge = merge_by_forge(&repo);
    assert!(verify(&repo, anchor, merge).is_ok());
    reset(&repo, anchor);

    // mona, who may merge on web servers, signs last of all: what alice wrote before her acts on another host.
    propose(&repo, "alice", "applications/db/application.yaml", "resources: {}\n");
    repo.git(&["checkout", "-q", "side"]);
    repo.commit_as("mona", "as if it were hers");
    repo.git(&["checkout", "-q", "main"]);
    let merge = merge_by_forge(&repo);
    assert_refused(&repo, anchor, merge, merge, "mona@example.com may not merge what changes files/etc/db on db-1");
}

#[test]
fn trailers_of_somebody_with_bounds_do_not_count() {
    let (repo, anchor) = teams();
    for (who, counts) in [("ana", 0), ("alice", 1)] {
        repo.write(WEB, "resources: {}\n");
        let head = repo.commit_as(who, "Muster-Confirm: all of it");
        assert_eq!(verify(&repo, anchor, head).unwrap().messages().count(), counts, "{who}");
        reset(&repo, anchor);
    }
}

#[test]
fn a_change_in_a_branch_is_refused_whoever_merges_it() {
    let (repo, anchor) = teams();
    let text = "settings: {page: one, data: two}\n";
    let own = propose(&repo, "ana", "environments/lab/environment.yaml", text);
    let merge = repo.merge_as("alice", "side");
    assert_refused(&repo, anchor, merge, own, "ana@example.com may not write what changes files/etc/db on db-1");
}

#[test]
fn two_branches_that_combine_need_somebody_who_may() {
    let (repo, old) = teams();
    // A template asks for a file that is not there; each branch by itself has no effect on db-1.
    repo.write(
        "applications/db/application.yaml",
        "resources:\n  files: {/etc/db: {content: \"{{ settings.flag | default('') }}\"}}\n",
    );
    let anchor = repo.commit_as("alice", "a flag");
    assert!(verify(&repo, old, anchor).is_ok());
    propose(&repo, "ana", "environments/lab/environment.yaml", "settings: {page: one, data: one, flag: \"\"}\n");
    repo.write(
        "applications/db/application.yaml",
        "resources:\n  files: {/etc/db: {content: \"{{ 'yes' if settings.flag is defined else 'no' }}\"}}\n",
    );
    let anchor_after = repo.commit_as("alice", "it asks whether there is one");
    assert!(verify(&repo, anchor, anchor_after).is_ok());
    let merge = repo.merge_as("ana", "side");
    assert_refused(
        &repo,
        anchor_after,
        merge,
        merge,
        "ana@example.com may not write what changes files/etc/db on db-1",
    );
    let merge = repo.merge_as("alice", "side");
    assert!(verify(&repo, anchor_after, merge).is_ok());
}

#[test]
fn a_merge_answers_alone_for_what_it_writes_itself() {
    let (repo, anchor) = teams();
    propose(&repo, "alice", WEB, "resources: {}\n");
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    repo.write("environments/lab/environment.yaml", "settings: {page: one, data: slipped in}\n");
    let merge = repo.commit_as("zoe", "merge");
    // She may merge everything; of alice's right to write she has nothing.
    assert_refused(&repo, anchor, merge, merge, "zoe@example.com may not write what changes files/etc/db on db-1");
}
