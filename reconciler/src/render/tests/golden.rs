use super::{FactsOfFleet, debian, render};

const REPOSITORY: &str = "=== muster.yaml
schema: 1
fleet: test
settings: {domain: example.org}
applications: {base: {}}
=== profiles/web.yaml
hosts: role=web
applications: {nginx: {port: 8080}}
=== environments/lab/environment.yaml
labels: {tier: test}
settings: {nginx: {names: [\"{{ host.id }}.{{ settings.domain }}\"]}}
=== environments/lab/hosts/web-1.yaml
labels: {role: web}
=== environments/lab/hosts/web-2.yaml
labels: {role: web}
resources:
  files:
    /etc/motd: {content: mine, mode: '0600', owner: null}
    /etc/issue: null
=== environments/lab/hosts/lb-1.yaml
applications:
  nginx:
    upstream: \"{{ hosts('role=web') | map(attribute='address') | list }}\"
=== applications/base/application.yaml
resources:
  files:
    /etc/motd: {content: \"{{ host.id }} in {{ host.environment }}\\n\", owner: root}
    /etc/issue: {content: base}
=== applications/nginx/application.yaml
parameters:
  port: {type: integer, default: 80}
  names: {type: array, items: {type: string}, default: [localhost]}
  upstream: {type: array, items: {type: string}, default: [\"127.0.0.1:8080\"]}
values:
  conf: \"{{ {'debian': '/etc/nginx/conf.d', 'alpine': '/etc/nginx/http.d'}[facts.os.family] }}\"
resources:
  packages: {nginx: {}}
  files:
    \"{{ conf }}/lb.conf\": {template: lb.conf, confirm: [nginx, -t]}
  services:
    nginx: {running: true, enabled: true, reload_on: ['files{{ conf }}/*']}
=== applications/nginx/files/lb.conf
listen {{ port }};
{% for name in names %}
server_name {{ name }};
{% endfor %}
{% for server in upstream %}
server {{ server }};
{% endfor %}
";

#[test]
fn a_host_without_facts_waits() {
    let facts = FactsOfFleet::default();
    assert_eq!(render(REPOSITORY, "web-1", &facts), "waits for os.family of web-1\n");
    assert_eq!(
        render(REPOSITORY, "lb-1", &facts),
        "waits for os.family of lb-1\nwaits for facts of web-1\nwaits for facts of web-2\n"
    );
}

#[test]
fn applications_layers_and_facts_come_together() {
    let host = |name: &str, address: &str| (name.parse().expect("host"), debian(address));
    let facts: FactsOfFleet =
        [host("web-1", "10.0.0.1"), host("web-2", "10.0.0.2"), host("lb-1", "10.0.0.9")].into_iter().collect();
    assert_eq!(
        render(REPOSITORY, "web-2", &facts),
        "files/etc/motd application=\"base\" {\"mode\":\"0600\"}
    | mine
files/etc/nginx/conf.d/lb.conf application=\"nginx\" {\"confirm\":[\"nginx\",\"-t\"]}
    | listen 8080;
    | 
    | server_name web-2.example.org;
    | 
    | 
    | server 127.0.0.1:8080;
    | 
packages/nginx application=\"nginx\" {}
services/nginx application=\"nginx\" meta={\"reload_on\":[\"files/etc/nginx/conf.d/lb.conf\"]} {\"running\":true,\"enabled\":true}
"
    );
    assert_eq!(
        render(REPOSITORY, "lb-1", &facts),
        "files/etc/issue application=\"base\" {}
    | base
files/etc/motd application=\"base\" {\"owner\":\"root\"}
    | lb-1 in lab
files/etc/nginx/conf.d/lb.conf application=\"nginx\" {\"confirm\":[\"nginx\",\"-t\"]}
    | listen 80;
    | 
    | server_name lb-1.example.org;
    | 
    | 
    | server 10.0.0.1;
    | 
    | server 10.0.0.2;
    | 
packages/nginx application=\"nginx\" {}
services/nginx application=\"nginx\" meta={\"reload_on\":[\"files/etc/nginx/conf.d/lb.conf\"]} {\"running\":true,\"enabled\":true}
"
    );
}
