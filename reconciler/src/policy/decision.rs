//! Whether somebody may do something somewhere, and why.

use std::fmt;

use super::path_pattern::PathPattern;
use super::rule::{Rule, RuleName};

/// The answer to: may they do this there?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Yes, by this rule: the first that grants it.
    Allowed(RuleName),
    /// No.
    Denied(Denial),
}

/// Why not: how far the nearest rules go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// They are a forge, for whom no rule is.
    Forge,
    /// No rule is for them.
    NoRule,
    /// Rules are for them, and none grants the verb.
    OtherVerbs(Vec<RuleName>),
    /// Rules grant them the verb, on other paths.
    OtherPaths(Vec<RuleName>),
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, rules: &[RuleName]| {
            for (index, rule) in rules.iter().take(3).enumerate() {
                write!(f, "{}{rule}", if index == 0 { "" } else { ", " })?;
            }
            if rules.len() > 3 { write!(f, " and {} more", rules.len() - 3) } else { Ok(()) }
        };
        match self {
            Denial::Forge => f.write_str("a forge has no rights of its own"),
            Denial::NoRule => f.write_str("no rule is for them"),
            Denial::OtherVerbs(rules) => {
                f.write_str("they have other rights by ")?;
                list(f, rules)
            }
            Denial::OtherPaths(rules) => {
                f.write_str("they have it for other paths by ")?;
                list(f, rules)
            }
        }
    }
}

/// What the rules give to one signer for one verb.
#[derive(Debug, Clone)]
pub struct Grant<'policy> {
    pub(super) rules: Vec<&'policy Rule>,
}

impl Grant<'_> {
    /// Whether it is granted anywhere at all.
    pub fn is_any(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether it is granted on every path.
    pub fn covers_everything(&self) -> bool {
        self.rules.iter().any(|rule| rule.covers_everything())
    }

    /// The first rule that grants it on `path`.
    pub fn rule_for(&self, path: &str) -> Option<RuleName> {
        self.rules.iter().find(|rule| rule.covers(path)).map(|rule| rule.name)
    }

    /// Where it is granted, but for rules about every path.
    pub fn patterns(&self) -> impl Iterator<Item = &PathPattern> {
        self.rules.iter().filter_map(|rule| rule.paths.as_ref()).flatten()
    }

    /// Whether it is granted on `path`.
    pub fn covers(&self, path: &str) -> bool {
        self.rule_for(path).is_some()
    }
}
