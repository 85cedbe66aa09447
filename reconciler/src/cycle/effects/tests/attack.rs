//! Effects beyond the bounds of whoever signed.

use super::{TestRepository, reset, teams, told_of, verify, verify_by};
use crate::render::FactsOfFleet;
use crate::render::tests::debian;

/// What ana would do, and what is told of it.
type Attempt = (&'static str, fn(&TestRepository), &'static str);

const ATTEMPTS: [Attempt; 12] = [
    (
        "a setting of a shared document that flows into another team's resource",
        |repo| repo.write("environments/lab/environment.yaml", "settings: {page: one, data: two}\n"),
        "files/etc/db on db-1",
    ),
    (
        "a resource for all hosts of an environment",
        |repo| {
            let text = "settings: {page: one, data: one}\nresources: {users: {root2: {uid: 0}}}\n";
            repo.write("environments/lab/environment.yaml", text);
        },
        "users/root2 on db-1",
    ),
    (
        "a profile that selects other hosts",
        |repo| repo.write("profiles/web.yaml", "hosts: role=db\napplications: {web: {}}\n"),
        "files/etc/web on db-1",
    ),
    (
        "another team's host under her label",
        |repo| repo.write("environments/lab/hosts/db-1.yaml", "labels: {role: web}\n"),
        "the host db-1 itself",
    ),
    (
        "her own host under another team's label",
        |repo| repo.write("environments/lab/hosts/web-1.yaml", "labels: {role: db}\n"),
        "the host web-1 itself",
    ),
    (
        "labels for all hosts of an environment",
        |repo| repo.write("environments/lab/environment.yaml", "labels: {x: y}\nsettings: {page: one, data: one}\n"),
        "the host db-1 itself",
    ),
    (
        "the removal of another team's host",
        |repo| _ = repo.git(&["rm", "-q", "environments/lab/hosts/db-1.yaml"]),
        "the host db-1 itself",
    ),
    (
        "another name for it",
        |repo| _ = repo.git(&["mv", "environments/lab/hosts/db-1.yaml", "environments/lab/hosts/web-9.yaml"]),
        "the host db-1 itself",
    ),
    (
        "a key for it",
        |repo| {
            let key = "key: RWQ5JEfQ1bl9Bz9cLxbgoD/VmPyMmlZuBsdjjgmiyo6WqP8ZbfvHrSWW\n";
            repo.write("environments/lab/hosts/db-1.yaml", &format!("{key}labels: {{role: db}}\n"));
        },
        "the host db-1 itself",
    ),
    (
        "a resource of its own file",
        |repo| {
            repo.write(
                "environments/lab/hosts/db-1.yaml",
                "labels: {role: db}\nresources: {files: {/x: {content: x}}}\n",
            )
        },
        "files/x on db-1",
    ),
    (
        "other enforcement of all resources",
        |repo| repo.write("environments/lab/environment.yaml", "mode: audit\nsettings: {page: one, data: one}\n"),
        "files/etc/db on db-1",
    ),
    (
        "what a rule of other paths would allow, beside it",
        |repo| {
            repo.write("docs/notes", "a note\n");
            repo.write("environments/lab/hosts/db-1.yaml", "labels: {role: db}\nmode: audit\n");
        },
        "files/etc/db on db-1",
    ),
];

#[test]
fn a39_a_commit_that_acts_on_another_teams_host() {
    let (repo, anchor) = teams();
    for (attempt, change, effect) in ATTEMPTS {
        let told = told_of(&repo, anchor, "ana", change);
        let begin = "EffectNotAllowed: ";
        assert!(told.starts_with(begin) && told.contains(effect), "{attempt}: {told}");
        assert!(told.contains("rule 2 (policy/access.yaml:4) is for hosts of 'role=web'"), "{attempt}: {told}");
        assert_eq!(told_of(&repo, anchor, "alice", change), "accepted", "{attempt}: by somebody who may");
    }
}

#[test]
fn a39_a_resource_of_another_collection() {
    let (repo, anchor) = teams();
    let attempts = [
        ("applications/db/application.yaml", "resources:\n  users: {db: {}}\n", "users/db on db-1"),
        ("applications/web/application.yaml", "resources:\n  commands: {x: {argv: [id]}}\n", "commands/x on web-1"),
    ];
    for (path, text, effect) in attempts {
        let told = told_of(&repo, anchor, "ben", |repo| repo.write(path, text));
        assert!(told.starts_with("EffectNotAllowed: ") && told.contains(effect), "{told}");
        assert!(told.contains("rule 4 (policy/access.yaml:9) is for all hosts, in files"), "{told}");
    }
}

#[test]
fn a39_a_move_of_a_host_to_another_environment() {
    let (repo, anchor) = teams();
    repo.write("environments/other/environment.yaml", "labels: {role: db}\nsettings: {page: one, data: one}\n");
    repo.write("environments/other/hosts/web-3.yaml", "{}\n");
    repo.write("policy/access.yaml", &super::RULES.replace("environments/lab/**", "environments/**"));
    let anchor_of_both = repo.commit_as("alice", "another environment");
    assert!(verify(&repo, anchor, anchor_of_both).is_ok());
    let steal = |repo: &TestRepository| {
        repo.git(&["rm", "-q", "environments/other/hosts/web-3.yaml"]);
        repo.write("environments/lab/hosts/web-3.yaml", "labels: {role: web}\n");
    };
    let told = told_of(&repo, anchor_of_both, "ana", steal);
    assert!(told.starts_with("EffectNotAllowed: ") && told.contains("web-3"), "{told}");
}

#[test]
fn a39_labels_of_the_branch_do_not_count_before_they_are_merged() {
    let (repo, anchor) = teams();
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("environments/lab/hosts/db-1.yaml", "labels: {role: web}\n");
    repo.commit_as("alice", "db-1 becomes a web server");
    repo.write("applications/web/application.yaml", "resources: {}\n");
    let hers = repo.commit_as("ana", "acts on it already");
    repo.git(&["checkout", "-q", "main"]);
    let merge = repo.merge_as("alice", "side");
    let rejection = verify(&repo, anchor, merge).expect_err("must be refused");
    assert_eq!((rejection.code(), rejection.commits[0].id), ("EffectNotAllowed", hers), "{rejection}");
    assert_eq!(rejection.commits.len(), 1);
}

#[test]
fn a39_a_rule_with_bounds_gives_no_right_to_the_rules_themselves() {
    let (repo, anchor) = teams();
    let more = super::RULES.replace("    hosts: role=web\n", "");
    for (path, text) in [("policy/access.yaml", more.as_str()), ("secrets/recipients.yaml", "admins: []\n")] {
        let told = told_of(&repo, anchor, "ana", |repo| repo.write(path, text));
        assert!(told.starts_with("NotAllowed: ") && told.contains("ana@example.com may not write"), "{told}");
        assert!(told.contains("not for rules with hosts or collections: rule 2"), "{told}");
    }
}

#[test]
fn a39_facts_that_come_later_are_judged_as_they_are_then() {
    let (repo, anchor) = teams();
    let text = "settings: {page: one, data: \"{{ 'two' if facts.hostname == 'h' else 'one' }}\"}\n";
    repo.write("environments/lab/environment.yaml", text);
    let head = repo.commit_as("ana", "a trap");
    // Not known: refused; known to change it: refused.
    let facts: FactsOfFleet = [("db-1".parse().unwrap(), debian("10.0.0.2"))].into_iter().collect();
    for facts in [FactsOfFleet::default(), facts] {
        let rejection = verify_by(&repo, anchor, head, &facts).expect_err("must be refused");
        assert_eq!(rejection.code(), "EffectNotAllowed", "{rejection}");
    }
    reset(&repo, anchor);
}
