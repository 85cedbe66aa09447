use crate::model::tests::repository;
use crate::model::{ModelCache, load_model};
use crate::render::FactsOfFleet;

use super::{FleetPlan, MarkdownOptions, plan_fleet, render_markdown, render_text};

pub(super) const BASE: &str = "=== muster.yaml
schema: 1
fleet: test
applications: {nginx: {}}
=== environments/lab/hosts/web-1.yaml
=== environments/lab/hosts/web-2.yaml
=== environments/lab/hosts/old-1.yaml
=== applications/nginx/application.yaml
resources:
  files:
    /etc/nginx.conf: {content: \"a\\nb\\nc\\n\", mode: '0644'}
    /etc/kept: {content: x, on_remove: keep}
  packages: {nginx: {}, curl: {}}
  users: {anna: {password: secret-one}}
  services: {nginx: {running: true, reload_on: [files/etc/nginx.conf]}}
";

pub(super) fn plan(base: &str, head: &str) -> FleetPlan {
    let mut cache = ModelCache::default();
    let (base, found) = load_model(&repository(base), &mut cache);
    assert_eq!(found, []);
    let (head, found) = load_model(&repository(head), &mut cache);
    plan_fleet(&base, &head, &FactsOfFleet::default(), found)
}

pub(super) fn head() -> String {
    BASE.replace("a\\nb\\nc\\n", "a\\nB\\nc\\n")
        .replace("    /etc/kept: {content: x, on_remove: keep}\n", "")
        .replace("nginx: {}, curl: {}", "nginx: {version: '1.2'}, git: {}")
        .replace("secret-one", "secret-two")
        .replace("=== environments/lab/hosts/old-1.yaml\n", "")
}

#[test]
fn nothing_changes_without_a_change() {
    let plan = plan(BASE, BASE);
    assert!(plan.is_empty());
    assert_eq!(render_text(&plan), "no changes on 3 hosts\n");
}

#[test]
fn changes_are_grouped_and_deletions_come_first() {
    assert_eq!(
        render_text(&plan(BASE, &head())),
        "- host old-1: retired, left as it is
- files/etc/kept (left as it is), on 2 hosts: web-1, web-2
- packages/curl (returns to what was found), on 2 hosts: web-1, web-2
~ files/etc/nginx.conf +1 −1, on 2 hosts: web-1, web-2
    @@ -1,3 +1,3 @@
     a
    -b
    +B
     c
~ users/anna, on 2 hosts: web-1, web-2
    password: *** → ***
~ packages/nginx, on 2 hosts: web-1, web-2
    version: not managed → 1.2
+ packages/git, on 2 hosts: web-1, web-2
! reloads services/nginx, on 2 hosts: web-1, web-2
2 to remove, 3 to change, 1 to add, on 2 of 2 hosts
"
    );
}

#[test]
fn no_secret_is_in_any_form() {
    let plan = plan(BASE, &head());
    let json = serde_json::to_string(&plan).expect("json");
    let options = MarkdownOptions { fleet: None, base: "main", max_bytes: None, whole: None };
    for form in [json, render_text(&plan), render_markdown(&plan, &options)] {
        assert!(!form.contains("secret"), "{form}");
    }
    let new = super::plan_fleet(
        &load_model(&repository("=== muster.yaml\nschema: 1\nfleet: test\n"), &mut ModelCache::default()).0,
        &load_model(&repository(BASE), &mut ModelCache::default()).0,
        &FactsOfFleet::default(),
        Vec::new(),
    );
    assert!(!serde_json::to_string(&new).expect("json").contains("secret"));
}

#[test]
fn faults_of_the_new_side_are_told() {
    let faulty = BASE.replace("{nginx: {}, curl: {}}", "{nginx: {verion: 1}}");
    let plan = plan(BASE, &faulty);
    let found: Vec<String> = plan.findings.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["applications/nginx/application.yaml:5:22: unknown field 'verion', did you mean 'version'?"]);
}

#[test]
fn a_secret_is_named_and_a_new_ciphertext_is_told() {
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let base = format!(
        "=== muster.yaml\nschema: 1\nfleet: test\n\
         === secrets/recipients.yaml\nsecrets:\n  db: {{hosts: \"*\"}}\n\
         === secrets/db.age\nage-encryption.org/v1\n-> X25519 abc\nYWdl\n--- mac\n\
         === secrets/db.recipients\n{recipient}\n\
         === environments/lab/hosts/web-1.yaml\nrecipient: {recipient}\n\
         resources: {{files: {{/etc/app: {{content: \"a={{{{ secret('db', encode='url') }}}}\\n\"}}}}}}\n"
    );
    let exchanged = plan(&base, &base.replace("YWdl", "YWdm"));
    let text = render_text(&exchanged);
    assert_eq!(exchanged.changes.len(), 1, "{text}");
    assert_eq!(text.matches("a=secret(db, encode=url; ciphertext ").count(), 2, "before and after: {text}");
    let none = plan(&base, &base);
    assert!(none.changes.is_empty(), "{}", render_text(&none));
}
