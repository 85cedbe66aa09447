//! The rules of one revision.

use muster_schema::document::Verb;

use super::bounds::Bounds;
use super::decision::{Decision, Denial, Grant};
use super::outputs::Outputs;
use super::principal_pattern::PrincipalPattern;
use super::rule::{ApprovalThreshold, Rule, RuleName};

/// `policy/access.yaml`, checked. What no rule grants is denied.
#[derive(Debug, Clone, Default)]
pub struct AccessPolicy {
    /// Whose keys are a Git host's own.
    pub forges: Vec<PrincipalPattern>,
    /// The rules, in the document's order.
    pub rules: Vec<Rule>,
    /// Which changes need approval by others.
    pub approvals: Vec<ApprovalThreshold>,
    /// What documents may bring about, whoever writes them.
    pub outputs: Outputs,
}

impl AccessPolicy {
    /// Whether whoever has these principals may do `verb` with the file at `path`.
    pub fn allows(&self, principals: &[String], verb: Verb, path: &str) -> Decision {
        self.allows_within(principals, verb, path, |_| true)
    }

    /// As [`AccessPolicy::allows`], by a rule of whose bounds `within` holds.
    pub fn allows_within(
        &self,
        principals: &[String],
        verb: Verb,
        path: &str,
        within: impl Fn(&Bounds) -> bool,
    ) -> Decision {
        if self.is_forge(principals) {
            return Decision::Denied(Denial::Forge);
        }
        let granted = self.grant(principals, verb);
        if let Some(rule) = granted.rules_for(path).find(|rule| within(&rule.bounds)) {
            return Decision::Allowed(rule.name);
        }
        let names = |rules: &[&Rule]| -> Vec<RuleName> { rules.iter().map(|rule| rule.name).collect() };
        let own: Vec<&Rule> = self.rules.iter().filter(|rule| rule.is_for(principals)).collect();
        let covering: Vec<&Rule> = granted.rules_for(path).collect();
        let bounded: Vec<&Rule> = granted.rules.iter().copied().filter(|rule| rule.names(path)).collect();
        Decision::Denied(match (own.is_empty(), granted.is_any()) {
            (true, _) => Denial::NoRule,
            (false, false) => Denial::OtherVerbs(names(&own)),
            (false, true) if !covering.is_empty() => Denial::OtherBounds(names(&covering)),
            (false, true) if !bounded.is_empty() => Denial::Authority(names(&bounded)),
            (false, true) => Denial::OtherPaths(names(&granted.rules)),
        })
    }

    /// What the rules give to whoever has these principals, for one verb; nothing to a forge.
    pub fn grant(&self, principals: &[String], verb: Verb) -> Grant<'_> {
        let rules = self.rules.iter().filter(|rule| rule.grants(verb) && rule.is_for(principals));
        Grant { rules: if self.is_forge(principals) { Vec::new() } else { rules.collect() } }
    }

    /// Whether whoever has these principals is a Git host, whose key counts on clean merges alone.
    pub fn is_forge(&self, principals: &[String]) -> bool {
        self.forges.iter().any(|forge| forge.matches(principals))
    }

    /// The thresholds that a change of `path` has to meet.
    pub fn thresholds(&self, path: &str) -> impl Iterator<Item = &ApprovalThreshold> {
        self.approvals.iter().filter(move |threshold| threshold.covers(path))
    }
}
