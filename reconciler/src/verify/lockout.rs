//! Whether a policy leaves anybody who could change it again.

use std::collections::HashMap;
use std::slice;

use muster_schema::Timestamp;
use muster_schema::document::Verb;

use super::people::People;
use super::policy::{APPROVAL_NAMESPACE, GIT_NAMESPACE, PolicyFault, SigningPolicy};
use crate::policy::ACCESS_POLICY;

/// Refuses a policy by which nobody who may sign at `time` could bring a change of
/// `policy/access.yaml` onto the watched branch: who can change that file can change all.
pub fn check_somebody_left(policy: &SigningPolicy, time: Timestamp) -> Result<(), PolicyFault> {
    let people = people_of(policy, time);
    let nobody = |why: String| Err(PolicyFault::NobodyLeft { why });
    let lacking = |verb: Verb| {
        format!("nobody who may sign has the right to {verb} {ACCESS_POLICY}, so that it could never change again")
    };
    let writers: Vec<&Person> = people.iter().filter(|person| person.writes).collect();
    let mergers: Vec<&Person> = people.iter().filter(|person| person.merges).collect();
    if writers.is_empty() {
        return nobody(lacking(Verb::Write));
    }
    if mergers.is_empty() {
        return nobody(lacking(Verb::Merge));
    }
    let approvers = people.iter().filter(|person| person.approves).count();
    for threshold in policy.access.thresholds(ACCESS_POLICY) {
        let spent = if threshold.author_counts { 0 } else { least_spent(&writers, &mergers) };
        let left = approvers.saturating_sub(spent);
        if left < threshold.needs {
            return nobody(format!(
                "a change of {ACCESS_POLICY} needs {} approvals (line {}), and only {left} could approve one that others made, so that it could never change again",
                threshold.needs, threshold.line
            ));
        }
    }
    Ok(())
}

/// What somebody who may sign may do.
#[derive(Debug, Default)]
struct Person {
    writes: bool,
    merges: bool,
    approves: bool,
}

fn people_of(policy: &SigningPolicy, time: Timestamp) -> Vec<Person> {
    let valid = policy.allowed.iter().filter(|line| line.is_valid_at(time) && !policy.revoked.contains(&line.key));
    let by_ssh = valid.map(|line| {
        (line.principals.as_slice(), line.covers_namespace(GIT_NAMESPACE), line.covers_namespace(APPROVAL_NAMESPACE))
    });
    // Approvals are SSH signatures.
    let valid = policy.openpgp.iter().filter(|certificate| certificate.may_sign());
    let by_openpgp = valid.map(|certificate| (slice::from_ref(&certificate.principal), true, false));
    let signers: Vec<(&[String], bool, bool)> = by_ssh.chain(by_openpgp).collect();
    let numbers = People::of(policy);
    let mut people: HashMap<usize, Person> = HashMap::new();
    for (principals, commits, approves) in signers {
        let Some(number) = numbers.person(principals) else { continue };
        let person = people.entry(number).or_default();
        let may = |verb| policy.access.grant(principals, verb).covers(ACCESS_POLICY);
        if commits {
            person.writes |= may(Verb::Write);
            person.merges |= may(Verb::Merge);
        }
        person.approves |= approves && may(Verb::Approve);
    }
    people.into_values().collect()
}

/// How many approvers author and merger are at the least, where these are chosen well.
fn least_spent(writers: &[&Person], mergers: &[&Person]) -> usize {
    let free = |people: &[&Person]| people.iter().any(|person| !person.approves);
    let both = writers.iter().any(|person| person.merges);
    match (free(writers), free(mergers)) {
        (true, true) => 0,
        (true, false) | (false, true) => 1,
        (false, false) => {
            if both {
                1
            } else {
                2
            }
        }
    }
}
