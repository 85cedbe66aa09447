//! A render that would come out the same is recognised, and no other.

use muster_schema::HostId;

use super::{FactsOfFleet, debian};
use crate::model::tests::repository;
use crate::model::{Model, ModelCache, load_model};
use crate::render::{NotRendered, Reads, render_host};

const REPOSITORY: &str = "=== muster.yaml
schema: 1
fleet: test
=== environments/lab/environment.yaml
settings: {motd: hello}
=== environments/lab/hosts/web-1.yaml
labels: {role: web}
=== environments/lab/hosts/web-2.yaml
labels: {role: web}
=== environments/lab/hosts/lb-1.yaml
applications: {lb: {}}
=== environments/lab/hosts/plain-1.yaml
resources: {files: {/a: {source: a}}}
=== environments/lab/files/a
a
=== applications/lb/application.yaml
resources:
  files:
    /lb: {content: \"{{ hosts('role=web') | map(attribute='address') | list | join(' ') }}\"}
";

fn reads(model: &Model, facts: &FactsOfFleet, host: &str) -> Reads {
    let id: HostId = host.parse().expect("host");
    match render_host(model, &id, facts) {
        Ok(rendered) => rendered.reads,
        Err(NotRendered::Waiting { reads, .. } | NotRendered::Faulty { reads, .. }) => reads,
    }
}

/// Whether the renders of `lb-1` and `plain-1` still hold after a change of the repository and of facts.
fn hold_after(change: (&str, &str), change_facts: impl FnOnce(&mut FactsOfFleet)) -> (bool, bool) {
    let mut cache = ModelCache::default();
    let (model, _) = load_model(&repository(REPOSITORY), &mut cache);
    let mut facts: FactsOfFleet = [("web-1".parse().expect("host"), debian("10.0.0.1"))].into_iter().collect();
    let before = ["lb-1", "plain-1"].map(|host| reads(&model, &facts, host));
    let changed = REPOSITORY.replace(change.0, change.1);
    let (model, found) = load_model(&repository(&changed), &mut cache);
    assert_eq!(found, []);
    change_facts(&mut facts);
    let [lb, plain] = before.map(|reads| reads.still_hold(&model, &facts));
    (lb, plain)
}

#[test]
fn the_same_repository_and_facts_hold() {
    assert_eq!(hold_after(("", ""), |_| {}), (true, true));
}

#[test]
fn a_change_touches_those_that_read_it() {
    let table = [
        ("motd: hello", "motd: other", (false, false)),
        ("web-2.yaml\nlabels: {role: web}", "web-2.yaml\nlabels: {role: db}", (false, true)),
        ("web-2.yaml\nlabels", "web-2.yaml\nsettings: {x: 1}\nlabels", (true, true)),
        ("files/a\na\n", "files/a\nb\n", (true, false)),
        ("resources:\n  files:\n    /lb", "values: {x: 1}\nresources:\n  files:\n    /lb", (false, true)),
        ("{lb: {}}", "{lb: {}} # mine", (false, true)),
    ];
    for (from, to, expected) in table {
        assert!(REPOSITORY.contains(from), "{from}");
        assert_eq!(hold_after((from, to), |_| {}), expected, "{from} → {to}");
    }
}

#[test]
fn facts_touch_those_that_read_them() {
    let host = |name: &str| -> HostId { name.parse().expect("host") };
    assert_eq!(hold_after(("", ""), |facts| facts.insert(host("web-1"), debian("10.0.0.9"))), (false, true));
    assert_eq!(hold_after(("", ""), |facts| facts.insert(host("web-2"), debian("10.0.0.2"))), (false, true));
    assert_eq!(hold_after(("", ""), |facts| facts.insert(host("plain-1"), debian("10.0.0.3"))), (true, true));
    let mut more_memory = debian("10.0.0.1");
    more_memory.memory_mib = 4096;
    assert_eq!(hold_after(("", ""), |facts| facts.insert(host("web-1"), more_memory)), (true, true));
}
