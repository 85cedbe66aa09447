//! What one team's templates would do with another team's things.

use super::secrets::{of_content, told};
use super::{debian, render};
use crate::render::FactsOfFleet;

const FLEET: &str = "\
=== muster.yaml
schema: 1
fleet: test
=== environments/lab/hosts/h.yaml
applications: {ours: {}, theirs: {}}
=== applications/theirs/application.yaml
resources:
  files: {/etc/theirs: {content: theirs}}
=== applications/ours/application.yaml
";

fn rendered(ours: &str) -> String {
    let facts: FactsOfFleet = [("h".parse().expect("host"), debian("10.0.0.1"))].into_iter().collect();
    render(&format!("{FLEET}{ours}"), "h", &facts)
}

#[test]
fn a39_another_teams_resource_is_a_fault() {
    let cases = [
        "resources:\n  files: {/etc/theirs: {content: ours}}\n",
        "parameters: {path: {type: string, default: /etc/theirs}}\nresources:\n  files: {'{{ path }}': {content: ours}}\n",
        "resources:\n  files: {/etc/../etc/theirs: {content: ours}}\n",
        "resources:\n  links: {/etc/theirs: {target: /etc/ours}}\n",
        "resources:\n  lines: {x: {path: /etc/theirs, line: ours}}\n",
    ];
    let is_fault = |shown: &str| shown.contains("applications/ours/application.yaml:") && !shown.contains("| ours");
    let taken: Vec<String> = cases.into_iter().map(rendered).filter(|shown| !is_fault(shown)).collect();
    assert_eq!(taken, Vec::<String>::new());
}

#[test]
fn a39_a_secret_of_other_hosts_is_a_fault() {
    for name in ["'vault'", "'va' ~ 'ult'", "'vault', encode='base64'"] {
        let shown = told(&of_content(&format!("\"{{{{ secret({name}) }}}}\"")));
        assert!(shown.contains("the host 'web-1' cannot have the secret 'vault'"), "{name}: {shown}");
    }
}

#[test]
fn a39_what_a_template_makes_is_text_and_no_resource() {
    let shown = rendered(
        "resources:\n  files: {/etc/ours: {content: \"{{ '}\\nfiles: {/etc/theirs: {content: ours}}' }}\\n\"}}\n",
    );
    assert!(shown.contains("files/etc/theirs"), "{shown}");
    assert_eq!(shown.matches("\nfiles/etc/").count() + usize::from(shown.starts_with("files/etc/")), 2, "{shown}");
}
