//! What rules grant, and that nothing else is granted.

use std::sync::Arc;

use muster_schema::Collection;
use muster_schema::document::Verb;

use super::{load, one};
use crate::policy::{AccessPolicy, Decision, Denial, HostLabels, RuleName};
use crate::test_dice::Dice;

const POLICY: &str = r#"
teams:
  web: [ana@example.org, "*@web.example.org"]
rules:
  - who: ["team:web"]
    may: [write, merge]
    paths: ["applications/web/**", README.md]
  - {who: [carol@example.org], may: [all]}
  - who: [ana@example.org]
    may: [approve]
  - {who: [ben@example.org], may: [query, act], hosts: role=web, collections: [files]}
approvals:
  - {paths: ["policy/**"], needs: 2}
"#;

#[test]
fn a_decision_names_its_rule_or_says_why_not() {
    let policy = load(POLICY);
    let allows = |who: &str, verb, path: &str| policy.allows(&one(who), verb, path);
    let first = RuleName { number: 1, line: 5 };
    let web = "applications/web/application.yaml";
    assert_eq!(allows("ana@example.org", Verb::Write, web), Decision::Allowed(first));
    assert_eq!(allows("x@web.example.org", Verb::Merge, "README.md"), Decision::Allowed(first));
    assert_eq!(
        allows("ana@example.org", Verb::Write, "muster.yaml"),
        Decision::Denied(Denial::OtherPaths(vec![first]))
    );
    let third = RuleName { number: 3, line: 9 };
    assert_eq!(allows("ana@example.org", Verb::Approve, "muster.yaml"), Decision::Allowed(third));
    assert_eq!(allows("x@web.example.org", Verb::Approve, web), Decision::Denied(Denial::OtherVerbs(vec![first])));
    assert_eq!(allows("mallory@example.org", Verb::Write, web), Decision::Denied(Denial::NoRule));
    for verb in Verb::EACH {
        assert_eq!(
            allows("carol@example.org", verb, "policy/access.yaml"),
            Decision::Allowed(RuleName { number: 2, line: 8 })
        );
    }
    assert_eq!(policy.thresholds("policy/access.yaml").map(|one| one.needs).collect::<Vec<_>>(), [2]);
    assert_eq!(policy.thresholds("muster.yaml").count(), 0);
    let query = &policy.rules[3];
    assert_eq!(query.bounds.hosts.as_ref().unwrap().to_string(), "role=web");
    assert_eq!(query.bounds.collections.as_ref().unwrap().len(), 1);
}

/// One rule in which nothing stands for other text: who, what, where.
type Plain = (&'static str, Verb, String);

const WORDS: [&str; 5] = ["a", "b", "ab", "policy", "x.yaml"];

fn path(dice: &mut Dice) -> String {
    let parts: Vec<&str> = (0..=dice.roll(3)).map(|_| dice.pick(&WORDS)).collect();
    parts.join("/")
}

fn plain_rules(dice: &mut Dice) -> Vec<Plain> {
    (0..dice.roll(6)).map(|_| (dice.pick(&WORDS), dice.pick(&Verb::EACH), path(dice))).collect()
}

fn document(rules: &[Plain]) -> String {
    let rule = |(who, verb, path): &Plain| {
        let paths = if verb.is_about_paths() { format!(", paths: [{path}]") } else { String::new() };
        format!("{{who: [{who}], may: [{verb}]{paths}}}")
    };
    format!("rules: [{}]\n", rules.iter().map(rule).collect::<Vec<_>>().join(", "))
}

fn allowed_by(policy: &AccessPolicy, who: &str, verb: Verb, path: &str) -> Option<usize> {
    match policy.allows(&one(who), verb, path) {
        Decision::Allowed(rule) => Some(rule.number),
        Decision::Denied(_) => None,
    }
}

/// What is allowed is allowed by a rule that says just that; all else is denied. One more rule takes nothing away.
#[test]
fn nothing_is_allowed_without_a_rule_and_rules_only_add() {
    let mut dice = Dice(7);
    let mut allowed = 0;
    for _ in 0..20_000 {
        let rules = plain_rules(&mut dice);
        let (who, verb, path) = (dice.pick(&WORDS), dice.pick(&Verb::EACH), path(&mut dice));
        let says = |(rule_who, rule_verb, rule_path): &Plain| {
            *rule_who == who && *rule_verb == verb && (*rule_path == path || !verb.is_about_paths())
        };
        let expected = rules.iter().position(says).map(|index| index + 1);
        let decided = allowed_by(&load(&document(&rules)), who, verb, &path);
        assert_eq!(decided, expected, "{rules:?} {who} {verb} {path}");
        let fewer = allowed_by(&load(&document(&rules[..rules.len().saturating_sub(1)])), who, verb, &path);
        assert!(fewer.is_none() || fewer == decided);
        allowed += usize::from(decided.is_some());
    }
    assert!(allowed > 100, "the cases say nothing: {allowed}");
}

#[test]
fn bounds_hold_hosts_by_every_label_and_collections_by_name() {
    let policy = load(
        "rules:\n  - {who: [ana@example.org], may: [all], hosts: role=web, collections: [files]}\n  - {who: [ben@example.org], may: [all]}\n",
    );
    let rule = &policy.rules[0];
    let labels = |role: &str| -> HostLabels { Arc::new([(Arc::from("role"), Arc::from(role))].into()) };
    assert!(rule.bounds.hold_host(&[labels("web"), labels("web")]));
    assert!(!rule.bounds.hold_host(&[labels("web"), labels("db")]), "it was, or will be, another's");
    assert!(rule.bounds.hold_collection(Some(Collection::Files)));
    assert!(!rule.bounds.hold_collection(Some(Collection::Users)));
    assert!(!rule.bounds.hold_collection(None), "of what is not known");
    assert_eq!(rule.bounds.to_string(), "hosts of 'role=web', in files");
    // Everything but what would give it more.
    let may = |verb, path: &str| allowed_by(&policy, "ana@example.org", verb, path).is_some();
    assert!(may(Verb::Write, "applications/web/application.yaml") && may(Verb::Merge, "muster.yaml"));
    for path in ["policy/access.yaml", "policy/openpgp/x.asc", "secrets/recipients.yaml"] {
        assert!(!may(Verb::Write, path) && !may(Verb::Merge, path), "{path}");
    }
    assert!(!may(Verb::Approve, "applications/web/application.yaml"));
    let denied = policy.allows(&one("ana@example.org"), Verb::Write, "policy/access.yaml");
    assert_eq!(denied, Decision::Denied(Denial::Authority(vec![rule.name])));
    let granted = policy.grant(&[], Verb::Write);
    assert!(!granted.is_any() && !granted.is_bounded());
    let [ana, ben] = ["ana@example.org", "ben@example.org"].map(one);
    assert!(policy.grant(&ana, Verb::Merge).is_bounded() && !policy.grant(&ana, Verb::Merge).covers_everything());
    assert!(!policy.grant(&ben, Verb::Merge).is_bounded() && policy.grant(&ben, Verb::Merge).covers_everything());
}
