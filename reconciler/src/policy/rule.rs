//! What one rule says.

use std::fmt;

use muster_schema::document::Verb;

use super::ACCESS_POLICY;
use super::bounds::Bounds;
use super::path_pattern::PathPattern;
use super::principal_pattern::PrincipalPattern;
use crate::model::RECIPIENTS_FILE;

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
    /// On which hosts and in which collections the changes may have an effect.
    pub bounds: Bounds,
    /// Who is meant, teams resolved.
    pub(super) principals: Vec<PrincipalPattern>,
}

impl Rule {
    /// Whether the rule speaks of whoever has these principals.
    pub fn is_for(&self, principals: &[String]) -> bool {
        self.principals.iter().any(|pattern| pattern.matches(principals))
    }

    /// Whether the rule grants `verb`. One with bounds grants no approval: what is approved is not compared with them.
    pub fn grants(&self, verb: Verb) -> bool {
        if verb == Verb::Approve && !self.bounds.are_none() {
            return false;
        }
        self.may.iter().any(|granted| *granted == verb || *granted == Verb::All)
    }

    /// Whether the rule is about `path`. One with bounds never is where it could give itself others.
    pub fn covers(&self, path: &str) -> bool {
        self.names(path) && (self.bounds.are_none() || !is_authority(path))
    }

    /// Whether `path` is of the form of the rule's paths.
    pub(super) fn names(&self, path: &str) -> bool {
        self.paths.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(path)))
    }

    /// Whether the rule is about every path, without bounds.
    pub fn covers_everything(&self) -> bool {
        self.bounds.are_none() && self.names_everything()
    }

    /// Whether every path is of the form of the rule's paths.
    pub(super) fn names_everything(&self) -> bool {
        self.paths.as_ref().is_none_or(|patterns| patterns.iter().any(PathPattern::is_everything))
    }
}

/// Whether the file at `path` says what people may do or who can read secrets: a change of it has no effect on
/// hosts that bounds could be compared with.
fn is_authority(path: &str) -> bool {
    path.starts_with("policy/") || path == RECIPIENTS_FILE
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
