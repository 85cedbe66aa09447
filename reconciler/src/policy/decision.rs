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
    /// Rules grant them the verb there, on other hosts or in other collections.
    OtherBounds(Vec<RuleName>),
    /// Rules with bounds name the path, which says what people may do.
    Authority(Vec<RuleName>),
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
            Denial::OtherBounds(rules) => {
                f.write_str("they have it for other hosts or collections by ")?;
                list(f, rules)
            }
            Denial::Authority(rules) => {
                f.write_str("it says who may do what, which is not for rules with hosts or collections: ")?;
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

impl<'policy> Grant<'policy> {
    /// Whether it is granted anywhere at all.
    pub fn is_any(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether it is granted on every path.
    pub fn covers_everything(&self) -> bool {
        self.rules.iter().any(|rule| rule.covers_everything())
    }

    /// The rules that grant it on `path`.
    pub fn rules_for<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'policy Rule> + 'a {
        self.rules.iter().copied().filter(move |rule| rule.covers(path))
    }

    /// Whether it is granted on every path, be it on some hosts or in some collections alone.
    pub fn names_everything(&self) -> bool {
        self.rules.iter().any(|rule| rule.names_everything())
    }

    /// Whether some of it is granted on some hosts or in some collections alone, and nothing grants all of it.
    pub fn is_bounded(&self) -> bool {
        !self.covers_everything() && self.rules.iter().any(|rule| !rule.bounds.are_none())
    }

    /// Where it is granted, but for rules about every path.
    pub fn patterns(&self) -> impl Iterator<Item = &PathPattern> {
        self.rules.iter().filter_map(|rule| rule.paths.as_ref()).flatten()
    }

    /// Whether it is granted on `path`.
    pub fn covers(&self, path: &str) -> bool {
        self.rules_for(path).next().is_some()
    }
}
