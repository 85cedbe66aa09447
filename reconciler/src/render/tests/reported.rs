//! What templates read of hosts: facts, `hosts()`, and what they wait for.

mod attack;

use super::{FactsOfFleet, debian, render};

/// A fleet of two environments; `web-1` has one file, whose content is the expression.
fn repository(expression: &str) -> String {
    format!(
        "=== muster.yaml
schema: 1
fleet: test
=== environments/lab/hosts/web-1.yaml
labels: {{role: web}}
resources:
  files:
    /etc/x: {{content: \"{expression}\"}}
=== environments/lab/hosts/web-2.yaml
labels: {{role: web, tier: test}}
=== environments/lab/hosts/db-1.yaml
labels: {{role: db}}
=== environments/far/hosts/web-9.yaml
labels: {{role: web}}
"
    )
}

/// The content of the file, or what is told instead.
fn content(expression: &str, reported: &[(&str, &str)]) -> String {
    let facts = reported.iter().map(|(host, address)| (host.parse().expect("a host id"), debian(address)));
    let facts: FactsOfFleet = facts.collect();
    let shown = render(&repository(expression), "web-1", &facts);
    match shown.split_once("    | ") {
        Some((_, content)) => content.trim_end().to_owned(),
        None => shown.trim_end().to_owned(),
    }
}

const ALL: [(&str, &str); 4] =
    [("web-2", "10.0.0.2"), ("web-1", "10.0.0.1"), ("db-1", "10.0.0.3"), ("web-9", "10.0.0.9")];

#[test]
fn reported_facts_are_typed_values() {
    let table = [
        ("{{ facts.os.family }} {{ facts.address }} {{ facts.cpus + 1 }}", "debian 10.0.0.1 3"),
        ("{{ facts.addresses | join(',') }}", "10.0.0.1"),
        ("{{ host.id }} {{ host.environment }} {{ host.labels.role }}", "web-1 lab web"),
        ("{{ facts.virtualisation is none }}x", "Truex"),
        ("{{ facts.virtualisation or 'metal' }}", "metal"),
    ];
    for (expression, expected) in table {
        assert_eq!(content(expression, &ALL), expected, "{expression}");
    }
}

#[test]
fn hosts_are_selected_and_sorted_by_id() {
    let ids = |call: &str| format!("{{{{ {call} | map(attribute='id') | join(' ') }}}}|");
    let table = [
        ("hosts('role=web')", "web-1 web-2|"),
        ("hosts('role=web,!tier')", "web-1|"),
        ("hosts('*')", "db-1 web-1 web-2|"),
        ("hosts('role=web', environment='*')", "web-1 web-2 web-9|"),
        ("hosts('role=web', environment='far')", "web-9|"),
        ("hosts('role=none')", "|"),
    ];
    for (call, expected) in table {
        assert_eq!(content(&ids(call), &ALL), expected, "{call}");
    }
    let one = [("web-1", "10.0.0.1")];
    assert_eq!(content(&ids("hosts('role=web')"), &one), "web-1|");
    assert_eq!(content(&ids("hosts('role=web', all=true)"), &one), "web-1 web-2|");
    assert_eq!(content(&ids("hosts('role=db')"), &one), "waits for facts of db-1");
    assert_eq!(content(&ids("hosts('role=db', all=true)"), &one), "db-1|");
}

#[test]
fn what_is_not_reported_makes_wait_wherever_it_is_read() {
    for expression in [
        "{{ facts.address }}",
        "{{ facts.address | default('none') }}",
        "{{ facts.address is defined }}",
        "{{ facts['address'] or 'none' }}",
        "{{ 'a' if facts.address else 'b' }}",
        "{% if facts.address is not defined %}none{% endif %}",
        "{{ facts | attr('address') | d('none') }}",
        "{{ hosts('role=web', all=true) | map(attribute='address', default='none') | join }}",
        "{{ hosts('role=web', all=true) | selectattr('address') | list | length }}x",
        "{{ 'x' ~ facts.address }}",
    ] {
        let reported = [("web-2", "10.0.0.2"), ("db-1", "10.0.0.3")];
        assert_eq!(content(expression, &reported), "waits for address of web-1", "{expression}");
    }
    let read_of_other = "{{ (hosts('role=db', all=true) | first).os.family | default('none') }}";
    assert_eq!(content(read_of_other, &[("web-1", "10.0.0.1")]), "waits for os.family of db-1");
}

#[test]
fn unknown_facts_are_findings_reported_or_not() {
    for reported in [&[][..], &ALL[..]] {
        for expression in
            ["{{ facts.adress }}", "{{ facts.adress | default('none') }}", "{{ facts.adress is defined }}x"]
        {
            let told = content(expression, reported);
            assert!(told.contains("adress") && told.contains("did you mean 'address'?"), "{expression}: {told}");
            assert!(told.starts_with("environments/lab/hosts/web-1.yaml:4:"), "{expression}: {told}");
        }
    }
    let told = content("{{ hosts('role=web', all=true) | map(attribute='addres') | join }}", &ALL);
    assert!(told.contains("did you mean 'address'?"), "{told}");
    for (expression, reason) in [
        ("{{ hosts('role=') }}", "is not a term of a selector"),
        ("{{ hosts('role=web', environment='fra') | length }}", "there is no environment 'fra'"),
        ("{{ hosts('role=web', al=true) | length }}", "al"),
        ("{{ secret('db') }}", "there is no secret 'db'"),
        ("{{ 'x' ~ (secret('db') | default('none')) }}", "a secret stands alone"),
    ] {
        let told = content(expression, &ALL);
        assert!(told.contains(reason), "{expression}: {told}");
    }
}

#[test]
fn null_and_undefined_never_become_text() {
    let table = [
        "x{{ facts.virtualisation }}",
        "{{ 'x' ~ facts.virtualisation }}",
        "{{ facts.virtualisation | string }}",
        "{{ [facts.virtualisation] | join(',') }}",
        "{{ hosts('*') | map(attribute='virtualisation') | join(',') }}",
        "{{ hosts('*') | map(attribute='virtualisation') | list }}",
        "x{{ host.labels.missing }}",
        "{{ '%s' | format(facts.virtualisation) }}",
    ];
    for expression in table {
        let told = content(expression, &ALL);
        assert!(told.starts_with("environments/lab/hosts/web-1.yaml:4:"), "{expression}: {told}");
        assert!(!told.contains("None"), "{expression}: {told}");
    }
}
