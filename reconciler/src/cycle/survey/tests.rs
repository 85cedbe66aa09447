//! A survey that uses what is known comes to the same as one that renders every host.

use std::collections::{BTreeSet, HashMap};

use muster_schema::{HostId, Sha256Digest};

use super::{LastRender, SurveyResult, Surveyed, findings_of, survey};
use crate::model::tests::repository;
use crate::model::{Model, ModelCache, load_model};
use crate::render::FactsOfFleet;
use crate::render::tests::debian;

const REPOSITORY: &str = "=== muster.yaml
schema: 1
fleet: test
=== environments/lab/environment.yaml
settings: {motd: hello}
=== environments/lab/hosts/lb-1.yaml
applications: {lb: {}}
=== environments/lab/hosts/own-1.yaml
resources: {files: {/memory: {content: \"{{ facts.memory_mib }}\"}}}
=== environments/lab/hosts/plain-1.yaml
resources: {files: {/a: {source: a}}}
=== environments/lab/hosts/roles-1.yaml
resources: {files: {/roles: {content: \"{% for h in hosts('*', all=true) %}{{ h.labels.role | default('-') }}{% endfor %}\"}}}
=== environments/lab/hosts/web-1.yaml
labels: {role: web}
=== environments/lab/hosts/web-2.yaml
labels: {role: web}
=== environments/lab/files/a
a
=== applications/lb/application.yaml
resources:
  files:
    /lb: {content: \"{{ hosts('role=web') | map(attribute='address') | list | join(' ') }}\"}
";

/// What a host comes to, to compare: `content …`, `waiting`, or its findings.
fn shown(surveyed: &Surveyed) -> String {
    match &surveyed.result {
        SurveyResult::Content(digest) => format!("content {digest}"),
        SurveyResult::Waiting => "waiting".to_owned(),
        SurveyResult::Faulty(found) => format!("{found:?}"),
    }
}

fn host(name: &str) -> HostId {
    name.parse().expect("host")
}

/// One orchestrator's surveys, one after another.
#[derive(Default)]
struct Surveys {
    cache: ModelCache,
    facts: FactsOfFleet,
    last: HashMap<HostId, LastRender>,
}

impl Surveys {
    /// Surveys a repository; the hosts that were rendered for it, and what all hosts came to.
    fn next(&mut self, text: &str) -> (BTreeSet<String>, Vec<(String, String)>) {
        let (model, _) = load_model(&repository(text), &mut self.cache);
        let rendered = self.rendered(&model);
        let surveyed = survey(&model, &self.facts, &self.last).expect("surveyed");
        let anew = survey(&model, &self.facts, &HashMap::new()).expect("surveyed");
        assert_eq!(findings_of(&surveyed), findings_of(&anew));
        let all = |hosts: &std::collections::BTreeMap<HostId, Surveyed>| -> Vec<(String, String)> {
            hosts.iter().map(|(id, surveyed)| (id.to_string(), shown(surveyed))).collect()
        };
        let (shown, expected) = (all(&surveyed), all(&anew));
        assert_eq!(shown, expected);
        for (id, Surveyed { result, reads }) in surveyed {
            let content = match result {
                SurveyResult::Content(content) => Some(content),
                SurveyResult::Waiting | SurveyResult::Faulty(_) => None,
            };
            self.last.insert(id, LastRender { content, reads });
        }
        (rendered, shown)
    }

    /// The hosts that a survey renders: with a false content for each, those that do not come to it.
    fn rendered(&self, model: &Model) -> BTreeSet<String> {
        let mark = Sha256Digest::of(b"not what any host renders to");
        let marked = |(id, last): (&HostId, &LastRender)| {
            (id.clone(), LastRender { content: last.content.map(|_| mark), reads: last.reads.clone() })
        };
        let last = self.last.iter().map(marked).collect();
        let surveyed = survey(model, &self.facts, &last).expect("surveyed");
        let is_marked = |surveyed: &Surveyed| matches!(surveyed.result, SurveyResult::Content(found) if found == mark);
        surveyed.iter().filter(|(_, surveyed)| !is_marked(surveyed)).map(|(id, _)| id.to_string()).collect()
    }
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// All hosts have reported; all are surveyed once.
fn begin() -> Surveys {
    let mut surveys = Surveys::default();
    for (number, name) in ["lb-1", "own-1", "plain-1", "roles-1", "web-1", "web-2"].into_iter().enumerate() {
        surveys.facts.insert(host(name), debian(&format!("10.0.0.{number}")));
    }
    let (rendered, _) = surveys.next(REPOSITORY);
    assert_eq!(rendered.len(), 6);
    surveys
}

#[test]
fn only_hosts_that_read_what_changed_are_rendered() {
    let mut surveys = begin();
    assert_eq!(surveys.next(REPOSITORY).0, names([]));
    let others = REPOSITORY.replace("files/a\na\n", "files/a\nb\n");
    assert_eq!(surveys.next(&others).0, names(["plain-1"]));
    let role = others.replace("web-2.yaml\nlabels: {role: web}", "web-2.yaml\nlabels: {role: db}");
    assert_eq!(surveys.next(&role).0, names(["lb-1", "roles-1", "web-2"]));
    let new = format!("{role}=== environments/lab/hosts/web-3.yaml\nlabels: {{role: web}}\n");
    assert_eq!(surveys.next(&new).0, names(["lb-1", "roles-1", "web-3"]));
    assert_eq!(surveys.next(&role).0, names(["lb-1", "roles-1"]), "the new host has left");
    assert_eq!(surveys.next(&role.replace("hello", "other")).0.len(), 6, "all read their environment");
}

#[test]
fn facts_that_changed_since_render_their_readers() {
    let mut surveys = begin();
    surveys.facts.insert(host("web-1"), debian("10.0.0.99"));
    assert_eq!(surveys.next(REPOSITORY).0, names(["lb-1"]));
    let mut more = debian("10.0.0.1");
    more.memory_mib = 4096;
    surveys.facts.insert(host("own-1"), more);
    assert_eq!(surveys.next(REPOSITORY).0, names(["own-1"]));
}

#[test]
fn faulty_and_waiting_hosts_are_rendered_until_they_come_to_something() {
    let mut surveys = begin();
    surveys.facts.remove(&host("own-1"));
    let faulty = REPOSITORY.replace("{source: a}", "{content: \"{{ nothing }}\"}");
    let (_, shown) = surveys.next(&faulty);
    assert!(shown.contains(&("own-1".to_owned(), "waiting".to_owned())), "{shown:?}");
    assert!(shown.iter().any(|(id, shown)| id == "plain-1" && shown.contains("nothing")), "{shown:?}");
    assert_eq!(surveys.next(&faulty).0, names(["own-1", "plain-1"]), "again, though nothing changed");
    surveys.facts.insert(host("own-1"), debian("10.0.0.1"));
    assert_eq!(surveys.next(REPOSITORY).0, names(["own-1", "plain-1"]));
    assert_eq!(surveys.next(REPOSITORY).0, names([]));
}

#[test]
fn content_is_that_of_the_last_render() {
    let mut surveys = begin();
    let (_, before) = surveys.next(REPOSITORY);
    let other = REPOSITORY.replace("files/a\na\n", "files/a\nb\n");
    let (_, between) = surveys.next(&other);
    assert_ne!(between, before);
    assert_eq!(surveys.next(REPOSITORY).1, before);
}
