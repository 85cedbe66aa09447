//! policy/access.yaml.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Selector;
use crate::collection::Collection;

/// `policy/access.yaml`: who may change what. What no rule grants is denied.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessDocument {
    /// Names for several people: team → principals, as they stand in `policy/allowed_signers`.
    /// `*` stands for any text, `?` for one character.
    #[serde(default)]
    pub teams: BTreeMap<String, Vec<String>>,
    /// Principals whose keys are a Git host's own, with `*` and `?`. They count on clean merges alone: the
    /// automatic merge of two parents, by the rights of the people whose commits it brings. No rule is for them.
    #[serde(default)]
    pub forge: Vec<String>,
    /// What is granted, to whom and where.
    pub rules: Vec<AccessRule>,
    /// How many people must approve changes of some paths.
    #[serde(default)]
    pub approvals: Vec<ApprovalRule>,
    /// What documents may bring about, whoever writes them.
    #[serde(default)]
    pub outputs: Vec<OutputRule>,
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// Principals as in `policy/allowed_signers`, with `*` and `?`, or `team:NAME`.
    pub who: Vec<String>,
    /// What they may do.
    pub may: Vec<Verb>,
    /// Where: paths of the repository. `*` and `?` stay in one folder, `**` is any number of folders.
    /// Every path where nothing is said.
    pub paths: Option<Vec<String>>,
    /// On which hosts their changes may have an effect. All where nothing is said.
    pub hosts: Option<Selector>,
    /// In which collections their changes may have an effect. All where nothing is said.
    pub collections: Option<Vec<Collection>>,
}

/// What a rule lets somebody do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Sign commits that change these paths.
    Write,
    /// Put changes of these paths on the watched branch.
    Merge,
    /// Approve changes of these paths that somebody else made.
    Approve,
    /// Ask agents what their hosts have.
    Query,
    /// Have agents plan or converge.
    Act,
    /// Everything.
    All,
}

impl Verb {
    /// Every single one.
    pub const EACH: [Verb; 5] = [Verb::Write, Verb::Merge, Verb::Approve, Verb::Query, Verb::Act];

    /// Whether the verb is about paths of the repository.
    pub fn is_about_paths(self) -> bool {
        !matches!(self, Verb::Query | Verb::Act)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verb::Write => "write",
            Verb::Merge => "merge",
            Verb::Approve => "approve",
            Verb::Query => "query",
            Verb::Act => "act",
            Verb::All => "all",
        })
    }
}

/// Changes of some paths need the approval of several people.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// Which paths, as in rules.
    pub paths: Vec<String>,
    /// How many people who may approve the path must have approved the merged commit.
    #[schemars(range(min = 1, max = 100))]
    pub needs: u32,
    /// Whether those count who signed the commits or the merge themselves.
    #[serde(default)]
    pub author_counts: bool,
}

/// What some documents and contents may bring about, however facts, labels and settings of others change. Where several
/// name a path, each adds to it; a path that none names may bring about everything.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputRule {
    /// Which documents and contents, as in rules.
    pub paths: Vec<String>,
    /// On which hosts. All where nothing is said.
    pub hosts: Option<Selector>,
    /// In which collections. All where nothing is said.
    pub collections: Option<Vec<Collection>>,
}
