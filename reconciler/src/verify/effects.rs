//! What commits bring about on hosts, and whether that is within the bounds of those who answer for them.
//!
//! Rules without bounds cost nothing: the fleet is rendered only where `hosts` or `collections` of a rule matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use git2::Oid;
use muster_schema::document::Verb;
use muster_schema::{Address, HostId};

use super::display::display_text;
use super::fault::CommitFault;
use super::policy::SigningPolicy;
use super::revision::Signer;
use super::terms::Terms;
use crate::policy::{HostLabels, Rule, RuleName};

/// So many effects are named in a fault.
const MOST_NAMED: usize = 50;

/// Tells what differs on hosts between two commits, by rendering the fleet at both.
pub trait RenderEffects: fmt::Debug {
    /// What differs between `before` and `after`, by the facts that are known; with the labels that its host has at
    /// each of them, and at `policy`.
    ///
    /// # Errors
    /// When it cannot be told, as where `after` has a fault that `before` has not.
    fn effects_between(&self, before: Oid, after: Oid, policy: Oid) -> Result<Effects, EffectsUnknown>;
}

/// What a change brings about, with the labels of each host.
pub type Effects = BTreeMap<Effect, Vec<HostLabels>>;

/// One thing that a change brings about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// On which host.
    pub host: HostId,
    /// What of it.
    pub part: Part,
}

/// What of a host a change concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The host itself: whether there is one, its keys, labels, environment, and what becomes of it when it leaves.
    Host,
    /// A resource that it has, had, or has otherwise.
    Resource(Address),
    /// Something that cannot be told, while it waits for facts or has a fault already.
    Unrendered,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::Host => write!(f, "the host {} itself", self.host),
            Part::Resource(address) => write!(f, "{address} on {}", self.host),
            Part::Unrendered => write!(f, "what {} will have, for it waits or is faulty", self.host),
        }
    }
}

/// Why it cannot be told what a change brings about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EffectsUnknown(pub String);

/// Renders nothing: whoever has bounds is refused. For judgements in which no rule has any.
#[derive(Debug, Clone, Copy)]
pub struct NothingRendered;

impl RenderEffects for NothingRendered {
    fn effects_between(&self, _: Oid, _: Oid, _: Oid) -> Result<Effects, EffectsUnknown> {
        Err(EffectsUnknown("nothing is rendered here".to_owned()))
    }
}

/// Who answers for the effects of changes of some paths.
pub(super) struct Answer<'a> {
    pub(super) verb: Verb,
    pub(super) who: Vec<&'a Signer>,
    pub(super) paths: Vec<&'a str>,
}

/// Judges effects by the policy of the mainline commit before.
pub(super) struct EffectJudge<'a> {
    pub(super) policy: &'a SigningPolicy,
    /// The mainline commit before: labels of its tree count too, so that nobody labels a host into his reach.
    pub(super) before: Oid,
    pub(super) terms: &'a Terms<'a>,
}

impl EffectJudge<'_> {
    /// Checks that all that differs at `after` from each of `parents` is within the bounds of every answer.
    pub(super) fn check(&self, answers: &[Answer<'_>], parents: &[Oid], after: Oid) -> Result<(), CommitFault> {
        let bounded: Vec<(&Answer<'_>, Vec<Vec<&Rule>>)> =
            answers.iter().map(|answer| (answer, self.bounded_rules(answer))).collect();
        let Some((first, _)) = bounded.iter().find(|(_, sets)| !sets.is_empty()) else { return Ok(()) };
        let unknown = |error: EffectsUnknown| CommitFault::EffectUnknown {
            who: names(&first.who),
            why: display_text(error.0.as_bytes()),
        };
        let effects = self.effects(parents, after).map_err(unknown)?;
        for (answer, sets) in bounded {
            let refused = |(effect, labels): &(&Effect, &Vec<HostLabels>)| {
                sets.iter().any(|rules| !rules.iter().any(|rule| holds(rule, effect, labels)))
            };
            let refused: Vec<&Effect> = effects.iter().filter(refused).map(|(effect, _)| effect).collect();
            if !refused.is_empty() {
                return Err(self.not_allowed(answer, &refused, &sets));
            }
        }
        Ok(())
    }

    /// For each path that somebody changed: the rules that let them, each set once. What a rule without bounds lets
    /// somebody change is not asked further. Every set has to hold: which path brings an effect about is not known.
    fn bounded_rules(&self, answer: &Answer<'_>) -> Vec<Vec<&Rule>> {
        let grant = |signer: &&Signer| self.policy.access.grant(&signer.principals, answer.verb);
        let grants: Vec<_> = answer.who.iter().map(grant).collect();
        if grants.iter().any(|grant| grant.covers_everything()) {
            return Vec::new();
        }
        let mut sets: BTreeMap<BTreeSet<RuleName>, Vec<&Rule>> = BTreeMap::new();
        for path in &answer.paths {
            let rules: Vec<&Rule> = grants.iter().flat_map(|grant| grant.rules_for(path)).collect();
            if !rules.iter().any(|rule| rule.bounds.are_none()) {
                sets.insert(rules.iter().map(|rule| rule.name).collect(), rules);
            }
        }
        sets.into_values().collect()
    }

    /// What differs from every one of the parents.
    fn effects(&self, parents: &[Oid], after: Oid) -> Result<Effects, EffectsUnknown> {
        let (first, others) = parents
            .split_first()
            .ok_or_else(|| EffectsUnknown("the commit has no parent to be compared with".to_owned()))?;
        let mut effects = self.terms.effects.effects_between(*first, after, self.before)?;
        for parent in others {
            let other = self.terms.effects.effects_between(*parent, after, self.before)?;
            effects.retain(|effect, labels| {
                labels.extend(other.get(effect).into_iter().flatten().cloned());
                other.contains_key(effect)
            });
        }
        Ok(effects)
    }

    fn not_allowed(&self, answer: &Answer<'_>, refused: &[&Effect], sets: &[Vec<&Rule>]) -> CommitFault {
        let rules: BTreeMap<RuleName, &Rule> = sets.iter().flatten().map(|rule| (rule.name, *rule)).collect();
        let bounds: Vec<String> =
            rules.values().take(3).map(|rule| format!("{} is for {}", rule.name, rule.bounds)).collect();
        CommitFault::EffectNotAllowed {
            who: names(&answer.who),
            verb: answer.verb,
            effects: refused
                .iter()
                .take(MOST_NAMED)
                .map(|effect| display_text(effect.to_string().as_bytes()))
                .collect(),
            more: refused.len().saturating_sub(MOST_NAMED),
            bounds: if bounds.is_empty() { "no rule is for them".to_owned() } else { bounds.join(", ") },
            policy: self.policy.commit,
        }
    }
}

fn holds(rule: &Rule, effect: &Effect, labels: &[HostLabels]) -> bool {
    let collection = match &effect.part {
        Part::Resource(address) => Some(address.collection()),
        Part::Host | Part::Unrendered => None,
    };
    rule.bounds.hold_host(labels) && rule.bounds.hold_collection(collection)
}

fn names(who: &[&Signer]) -> String {
    let names: BTreeSet<String> = who.iter().map(|signer| signer.principals.join(",")).collect();
    display_text(names.into_iter().collect::<Vec<_>>().join(" and ").as_bytes())
}
