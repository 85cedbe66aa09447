//! What one rule says.

use std::fmt;

use muster_schema::Collection;
use muster_schema::document::{Selector, Verb};

use super::ACCESS_POLICY;
use super::path_pattern::PathPattern;
use super::principal_pattern::PrincipalPattern;

/// One grant.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which one it is.
    pub name: RuleName,
    /// Who is meant, as the document says it.
    pub who: Vec<String>,
    /// What is granted.
    pub may: Vec<Verb>,
    /// Where; everywhere when absent.
    pub paths: Option<Vec<PathPattern>>,
    /// On which hosts the changes may have an effect; on all when absent.
    pub hosts: Option<Selector>,
    /// In which collections the changes may have an effect; in all when absent.
    pub collections: Option<Vec<Collection>>,
    /// Who is meant, teams resolved.
    pub(super) principals: Vec<PrincipalPattern>,
}

impl Rule {
    /// Whether the rule speaks of whoever has these principals.
    pub fn is_for(&self, principals: &[String]) -> bool {
        self.principals.iter().any(|pattern| pattern.matches(principals))
    }

    /// Whether the rule grants `verb`.
    pub fn grants(&self, verb: Verb) -> bool {
        self.may.iter().any(|granted| *granted == verb || *granted == Verb::All)
    }

    /// Whether the rule is about `path`.
    pub fn covers(&self, path: &str) -> bool {
        self.paths.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(path)))
    }

    /// Whether the rule is about every path.
    pub fn covers_everything(&self) -> bool {
        self.paths.as_ref().is_none_or(|patterns| patterns.iter().any(PathPattern::is_everything))
    }
}

/// Names a rule for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleName {
    /// Its number in the document, from 1.
    pub number: usize,
    /// Its first line, from 1.
    pub line: u32,
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} ({ACCESS_POLICY}:{})", self.number, self.line)
    }
}

/// How many people must approve changes of some paths.
#[derive(Debug, Clone)]
pub struct ApprovalThreshold {
    /// Its first line in the document, from 1.
    pub line: u32,
    /// Which paths.
    pub paths: Vec<PathPattern>,
    /// How many people.
    pub needs: usize,
    /// Whether those count who signed the commits or the merge themselves.
    pub author_counts: bool,
}

impl ApprovalThreshold {
    /// Whether changes of `path` need approval.
    pub fn covers(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.matches(path))
    }
}
