//! Ways around the outputs of documents.

use super::{DB, told};

/// What a team writes into its documents, or has written, and what is told of it on a host.
type Attempt = (&'static str, &'static str, &'static str, &'static str);

const ATTEMPTS: [Attempt; 13] = [
    (
        "a resource on another host",
        "web=users: {u: {}}",
        "db-1",
        "users/u on db-1 follows from 'applications/web/application.yaml', which is for hosts of 'role=web'",
    ),
    ("a resource of another collection", "web=users: {u: {}}", "edge-1", "users/u on edge-1 follows from"),
    (
        "one by a condition on facts",
        "web=users: {u: {when: \"{{ facts.hostname == 'h' }}\"}}",
        "db-1",
        "Host(\"db-1\")",
    ),
    (
        "one by a list from facts",
        "web=users: {'{{ item }}': {each: \"{{ [facts.hostname] }}\"}}",
        "db-1",
        "users/h on db-1 follows from",
    ),
    ("one by a tree", "web=directories: {/d: {source: tree}}", "db-1", "files/d/x on db-1 follows from"),
    (
        "a setting that another team's resource reads",
        "db=users: {u: {shell: \"{{ settings.page }}\"}}",
        "db-1",
        "users/u on db-1 follows from 'profiles/web.yaml'",
    ),
    (
        "a setting behind another",
        "db=users: {u: {shell: \"{{ settings.through }}\"}}",
        "db-1",
        "users/u on db-1 follows from 'profiles/web.yaml'",
    ),
    (
        "a setting by which there is one",
        "db=users: {u: {when: \"{{ settings.page == 'p' }}\"}}",
        "db-1",
        "users/u on db-1 follows from 'profiles/web.yaml'",
    ),
    (
        "a setting by which there is none",
        "db=users: {u: {when: \"{{ settings.page != 'p' }}\"}}",
        "db-1",
        "users/u on db-1 follows from 'profiles/web.yaml'",
    ),
    (
        "a list of which each gives one",
        "db=users: {'{{ item }}': {each: \"{{ settings.list }}\"}}",
        "db-1",
        "users/{{ item }} on db-1 follows from 'profiles/web.yaml'",
    ),
    (
        "names of settings",
        "db=users: {u: {shell: \"{{ settings.map | join }}\"}}",
        "db-1",
        "users/u on db-1 follows from 'profiles/web.yaml'",
    ),
    (
        "a resource of a layer",
        "profile=resources: {users: {u: {}}}",
        "db-1",
        "users/u on db-1 follows from 'profiles/web.yaml'",
    ),
    (
        "an application that is another team's",
        "profile=applications: {accounts: {}}",
        "db-1",
        "users/a on db-1 follows from 'profiles/web.yaml'",
    ),
];

#[test]
fn a39_a_document_brings_about_what_its_outputs_are_for_and_nothing_else() {
    let mut wrong = Vec::new();
    for (attempt, text, host, says) in ATTEMPTS {
        let of = |name: &str| text.strip_prefix(name).map(|rest| format!("resources: {{{rest}}}\n"));
        let application = |name: &str, file: &str| {
            of(&format!("{name}=")).map_or(String::new(), |text| format!("=== {file}\n{text}"))
        };
        let web = application("web", "applications/web/application.yaml");
        let web =
            if web.is_empty() { "=== applications/web/application.yaml\nresources: {}\n".to_owned() } else { web };
        let db = application("db", "applications/db/application.yaml");
        let db = if db.is_empty() { DB.to_owned() } else { db };
        let profile = text.strip_prefix("profile=").unwrap_or_default();
        let rest = format!(
            "{web}=== applications/web/files/tree/x\nx\n{db}=== applications/accounts/application.yaml\nresources: {{users: {{a: {{}}}}}}\n\
             === profiles/web.yaml\nhosts: \"*\"\nsettings: {{page: p, list: [], map: {{a: b}}}}\n{profile}\n\
             === environments/lab/environment.yaml\nsettings: {{through: \"{{{{ settings.page }}}}\"}}\n"
        );
        let told = told(&rest, host);
        if !told.contains(says) {
            wrong.push(format!("{attempt}: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
