//! Which commit hosts are waited for, and when to give up.

use std::path::Path;

use git2::{Oid, Repository};
use serde_json::Value;

use crate::cli::server::text;
use crate::io::git::read_tip;

#[cfg(test)]
mod tests;

/// The watched branch as the operator's clone knows it: what was pushed last.
pub(super) struct Pushed {
    repository: Repository,
    tip: Oid,
}

/// Where hosts are to get to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Goal {
    /// The orchestrator has not seen this commit yet.
    Unseen(String),
    /// Hosts are to be at this commit, by its first digits or whole.
    At(String),
}

impl Pushed {
    /// The clone around `folder`, if it is one of this fleet's state repository.
    pub(super) fn load(folder: &Path, fleet: &str) -> Option<Self> {
        let repository = Repository::discover(folder).ok()?;
        let remote = read_tip(&repository, "refs/remotes/origin/main").ok()?;
        let tip = remote.or(read_tip(&repository, "refs/heads/main").ok()?)?;
        is_of_fleet(&repository, tip, fleet)?.then_some(Pushed { repository, tip })
    }

    /// Whether `seen` is a commit before the one that was pushed last. A commit
    /// that the clone does not know came after it, from someone else.
    fn is_after(&self, seen: Option<Oid>) -> bool {
        let Some(seen) = seen else { return true };
        seen != self.tip && self.repository.graph_descendant_of(self.tip, seen).unwrap_or(false)
    }
}

fn is_of_fleet(repository: &Repository, tip: Oid, fleet: &str) -> Option<bool> {
    let tree = repository.find_commit(tip).ok()?.tree().ok()?;
    let blob = repository.find_blob(tree.get_path(Path::new("muster.yaml")).ok()?.id()).ok()?;
    let document: serde_yaml::Value = serde_yaml::from_slice(blob.content()).ok()?;
    Some(document.get("fleet").and_then(serde_yaml::Value::as_str) == Some(fleet))
}

impl Goal {
    /// The newest commit that the operator or the orchestrator knows of.
    pub(super) fn newest(fleet: &Value, pushed: Option<&Pushed>) -> Option<Self> {
        let seen = ["tip", "attempted"].iter().find_map(|key| fleet.get(key).and_then(Value::as_str));
        match pushed.filter(|pushed| pushed.is_after(seen.and_then(|seen| Oid::from_str(seen).ok()))) {
            Some(pushed) => Some(Goal::Unseen(pushed.tip.to_string())),
            None => seen.map(|seen| Goal::At(seen.to_owned())),
        }
    }

    /// Whether a host is assigned to it.
    pub(super) fn is_assigned_to(&self, host: &Value) -> bool {
        matches!(self, Goal::At(commit) if text(host, "assigned").starts_with(commit.as_str()))
    }

    /// Why none of `rest` can get there: the commit was looked at, and is
    /// refused or faulty for all of them.
    pub(super) fn out_of_reach(&self, revisions: &[Value], rest: &[&Value]) -> Option<String> {
        let Goal::At(commit) = self else { return None };
        let record = revisions.iter().find(|record| text(record, "id") == *commit)?;
        let verdict = text(record, "verdict");
        let stays = verdict != "Verified" && rest.iter().all(|host| !self.is_assigned_to(host));
        stays.then(|| format!("{} is {}: {}", short(commit), verdict.to_lowercase(), text(record, "detail")))
    }
}

/// The first digits of a commit, for people.
pub(super) fn short(commit: &str) -> String {
    commit.chars().take(8).collect()
}
