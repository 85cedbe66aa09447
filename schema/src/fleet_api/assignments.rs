//! Which revision each host is to have.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CommitId, HostId};

/// One revision for each environment, and the hosts that deviate from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignments {
    /// The newest verified commit of the watched branch.
    pub anchor: Option<CommitId>,
    /// The revision of all hosts of an environment.
    #[serde(default)]
    pub environments: BTreeMap<String, CommitId>,
    /// Hosts with another revision than their environment.
    #[serde(default)]
    pub hosts: BTreeMap<HostId, CommitId>,
}

impl Assignments {
    /// The revision that `host` of `environment` is to have.
    pub fn revision_of(&self, host: &HostId, environment: &str) -> Option<&CommitId> {
        self.hosts.get(host).or_else(|| self.environments.get(environment))
    }

    /// Every revision that something is assigned to.
    pub fn revisions(&self) -> impl Iterator<Item = &CommitId> {
        self.environments.values().chain(self.hosts.values())
    }
}
