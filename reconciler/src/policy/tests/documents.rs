//! Faults of the document, each with its place.

use crate::policy::{ACCESS_POLICY, load_access_policy};

fn faults(text: &str) -> Vec<String> {
    let found = load_access_policy(&ACCESS_POLICY.into(), text.as_bytes()).unwrap_err();
    found.iter().map(|finding| finding.to_string().trim_start_matches("policy/access.yaml:").to_owned()).collect()
}

#[test]
fn each_fault_has_place_reason_and_hint() {
    let cases: [(&str, &str); 32] = [
        ("", "1:1: field 'rules' is missing"),
        ("rules: all\n", "1:8: 'rules' must be a list, not a string"),
        ("rules: [{may: [all]}]\n", "1:9: field 'who' is missing"),
        ("rules: [{who: [a]}]\n", "1:9: field 'may' is missing"),
        ("rules: [{who: [], may: [all]}]\n", "1:15: 'who' is empty, leave it out, or say what is meant"),
        ("rules: [{who: [a], may: []}]\n", "1:25: 'may' is empty, leave it out, or say what is meant"),
        ("rules: [{who: [a], may: [all], paths: []}]\n", "1:39: 'paths' is empty, leave it out, or say what is meant"),
        ("rules:\n- who: [a]\n  may: [all]\n  paths:\n", "4:8: 'paths' is empty, leave it out, or say what is meant"),
        ("rules:\n- who: [a]\n  may: [all]\n  hosts:\n", "4:8: 'hosts' is empty, leave it out, or say what is meant"),
        (
            "rules: [{who: [a], may: [wirte]}]\n",
            "1:26: an item of 'may' must be write, merge, approve, query, act or all, not 'wirte', did you mean 'write'?",
        ),
        ("rules: [{who: [a], may: [all], path: [b]}]\n", "1:32: unknown field 'path', did you mean 'paths'?"),
        ("rules: [{who: [\"team:web\"], may: [all]}]\n", "1:16: there is no team 'web', teams stand below 'teams'"),
        (
            "teams: {web: [a]}\nrules: [{who: [\"team:wep\"], may: [all]}]\n",
            "2:16: there is no team 'wep', did you mean 'web'?",
        ),
        ("teams: {web: []}\nrules: []\n", "1:14: the team 'web' is empty, leave it out, or say what is meant"),
        ("teams: {web: [\"team:web\"]}\nrules: []\n", "1:15: a team has no teams as members"),
        ("teams: {We b: [a]}\nrules: []\n", "1:9: 'We b' is not a name of a team"),
        (
            "rules: [{who: [a], may: [all], paths: [/a]}]\n",
            "1:40: '/a' begins with a slash; paths begin at the repository's root, without one",
        ),
        (
            "rules: [{who: [a], may: [all], hosts: \"a b\"}]\n",
            "1:39: \"a b\" is not a term of a selector; write label=value, label!=value, label or !label",
        ),
        (
            "rules: [{who: [a], may: [query], paths: [b]}]\n",
            "1:41: 'paths' says nothing about query and act, those are bounded by 'hosts' and 'collections'",
        ),
        ("rules: []\napprovals: [{paths: [a], needs: 0}]\n", "2:33: 'needs' is 0, less than 1"),
        (
            "rules: []\napprovals: [{paths: [], needs: 1}]\n",
            "2:21: 'paths' is empty, leave it out, or say what is meant",
        ),
        ("forge: []\nrules: []\n", "1:8: 'forge' is empty, leave it out, or say what is meant"),
        ("forge: [a b]\nrules: []\n", "1:9: 'a b' is no principal; write it as in policy/allowed_signers"),
        ("forge: [\"team:web\"]\nrules: []\n", "1:9: a forge is no team, write its principal"),
        (
            "forge: [\"*@f\"]\nrules: [{who: [a@f, \"*\"], may: [all]}]\n",
            "2:16: 'a@f' is a forge, which no rule is for, its merges count by the rights of the people whose commits they bring",
        ),
        (
            "forge: [a]\nteams: {web: [a, b]}\nrules: []\n",
            "2:15: 'a' is a forge, which no rule is for, its merges count by the rights of the people whose commits they bring",
        ),
        (
            "rules: [{who: [a], may: [write, approve], hosts: role=web}]\n",
            "1:25: 'approve' has no use with 'hosts' or 'collections', grant it by a rule of its own",
        ),
        ("rules: []\noutputs: [{hosts: role=web}]\n", "2:11: field 'paths' is missing"),
        ("rules: []\noutputs: [{paths: [a]}]\n", "2:11: an entry of 'outputs' needs 'hosts' or 'collections'"),
        ("rules: []\noutputs: [{paths: [], hosts: a}]\n", "2:19: 'paths' is empty, leave it out, or say what is meant"),
        (
            "rules: []\noutputs: [{paths: [a], collections: []}]\n",
            "2:37: 'collections' is empty, leave it out, or say what is meant",
        ),
        ("rules: []\nrules: []\n", "2:1: duplicate key 'rules', also in line 1"),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found = faults(text);
        if found != [expected] {
            wrong.push(format!("{text:?}\n  expected {expected}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_faults_are_found_at_once() {
    let text = "rules:\n- {who: [\"team:x\"], may: [all], paths: [a/]}\n- {who: [\"!a\"], may: [act], paths: [b]}\n";
    assert_eq!(faults(text).len(), 3, "{:?}", faults(text));
}

#[test]
fn budgets_hold() {
    let rule = "- {who: [a], may: [all]}\n";
    let most = format!("rules:\n{}", rule.repeat(1000));
    assert!(load_access_policy(&ACCESS_POLICY.into(), most.as_bytes()).is_ok());
    assert_eq!(faults(&format!("{most}{rule}")), ["2:3: rules has more than 1000 entries"]);
    let many = format!("rules: [{{who: [{}], may: [all]}}]\n", "a, ".repeat(1001));
    assert_eq!(faults(&many).len(), 1);
}
