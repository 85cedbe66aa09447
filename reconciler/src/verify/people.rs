//! Which keys are one person's.

use std::collections::HashMap;
use std::slice;

use super::policy::SigningPolicy;

/// The people of `policy/allowed_signers` and `policy/openpgp/`. Lines and certificates that share a
/// principal, directly or through others, are one person's, whatever their keys.
pub(super) struct People<'policy>(HashMap<&'policy str, usize>);

impl<'policy> People<'policy> {
    pub(super) fn of(policy: &'policy SigningPolicy) -> Self {
        let mut number: HashMap<&str, usize> = HashMap::new();
        let mut leader: Vec<usize> = Vec::new();
        let by_ssh = policy.allowed.iter().map(|signer| signer.principals.as_slice());
        let by_openpgp = policy.openpgp.iter().map(|certificate| slice::from_ref(&certificate.principal));
        for (line, principals) in by_ssh.chain(by_openpgp).enumerate() {
            leader.push(line);
            for principal in named(principals) {
                let other = *number.entry(principal).or_insert(line);
                let (one, other) = (leader_of(&leader, line), leader_of(&leader, other));
                leader[one.max(other)] = one.min(other);
            }
        }
        number.values_mut().for_each(|line| *line = leader_of(&leader, *line));
        People(number)
    }

    /// The number of the person who has these principals; nothing for one who is not listed.
    pub(super) fn person(&self, principals: &[String]) -> Option<usize> {
        named(principals).find_map(|principal| self.0.get(principal).copied())
    }
}

/// What a line says somebody is; the rest takes others out.
fn named(principals: &[String]) -> impl Iterator<Item = &str> {
    principals.iter().map(String::as_str).filter(|principal| !principal.starts_with('!'))
}

fn leader_of(leader: &[usize], mut line: usize) -> usize {
    while leader[line] != line {
        line = leader[line];
    }
    line
}
