use super::load;

#[test]
fn a_sound_repository_has_no_findings() {
    let (model, found) = load(
        "=== muster.yaml
schema: 1
fleet: test
applications: {base: {}}
=== profiles/web.yaml
hosts: role=web
applications: {nginx: {port: 80}}
=== environments/lab/environment.yaml
labels: {tier: test}
=== environments/lab/hosts/web-1.yaml
labels: {role: web}
=== environments/lab/hosts/db-1.yaml
=== applications/base/application.yaml
resources:
  files: {/etc/motd: {content: hello}}
=== applications/nginx/application.yaml
parameters: {port: {type: integer}}
",
    );
    assert_eq!(found, []);
    let hosts: Vec<&str> = model.hosts().map(|host| host.id.as_str()).collect();
    assert_eq!(hosts, ["db-1", "web-1"]);
    let tier = model.hosts().map(|host| host.labels.get("tier").map(|tier| tier.to_string()));
    assert!(tier.into_iter().all(|tier| tier.as_deref() == Some("test")));
}

#[test]
fn what_is_not_there_yet_is_refused_and_not_ignored() {
    let (_, found) = load(
        "=== muster.yaml
schema: 1
fleet: test
=== environments/lab/environment.yaml
labels: {tier: test}
=== environments/lab/hosts/web-1.yaml
labels: {role: web}
machine: {}
",
    );
    let found: Vec<String> = found.iter().map(|finding| format!("{} {}", finding.place, finding.reason)).collect();
    let file = "environments/lab/hosts/web-1.yaml";
    let expected = [format!("{file}:2:1 'machine' is not supported yet")];
    assert_eq!(found, expected);
}
