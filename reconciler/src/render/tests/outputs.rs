//! What documents bring about, and what the policy lets them.

mod attack;

use super::{debian, render};
use crate::render::FactsOfFleet;

const OUTPUTS: &str = r#"=== policy/access.yaml
rules: []
outputs:
  - {paths: ["applications/web/**"], hosts: role=web}
  - {paths: ["applications/web/**"], hosts: role=edge, collections: [files]}
  - {paths: ["profiles/web.yaml", "profiles/files/web/**"], hosts: "*", collections: [files]}
"#;

/// A fleet of web-1, edge-1 and db-1; all have the application `web`, and what `rest` says.
fn fleet(rest: &str) -> String {
    let hosts = ["web", "edge", "db"]
        .map(|role| format!("=== environments/lab/hosts/{role}-1.yaml\nlabels: {{role: {role}}}\n"))
        .concat();
    format!("=== muster.yaml\nschema: 1\nfleet: test\napplications: {{web: {{}}, db: {{}}}}\n{OUTPUTS}{hosts}{rest}")
}

fn told(rest: &str, host: &str) -> String {
    let facts: FactsOfFleet = [(host.parse().unwrap(), debian("10.0.0.1"))].into_iter().collect();
    render(&fleet(rest), host, &facts)
}

const DB: &str = "=== applications/db/application.yaml\nresources: {}\n";

#[test]
fn what_is_within_the_outputs_is_rendered() {
    let rest = format!(
        "{DB}=== profiles/web.yaml\nhosts: role!=none\nsettings: {{page: p, label: l}}\nresources: {{files: {{/p: {{template: web/p}}}}}}\n\
         === profiles/files/web/p\na page\n=== applications/web/application.yaml\nresources:\n  \
         files: {{/f: {{when: \"{{{{ host.labels.role != 'db' }}}}\", content: \"{{{{ settings.page }}}}\"}}}}\n  \
         users: {{u: {{when: \"{{{{ host.labels.role == 'web' }}}}\"}}}}\n"
    );
    let addresses = |host: &str| -> Vec<String> {
        let shown = told(&rest, host);
        let lines = shown.lines().filter(|line| !line.starts_with(' '));
        lines.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(addresses("web-1"), ["files/f", "files/p", "users/u"]);
    assert_eq!(addresses("edge-1"), ["files/f", "files/p"]);
    assert_eq!(addresses("db-1"), ["files/p"], "what is not there is nothing that it brings about");
}
