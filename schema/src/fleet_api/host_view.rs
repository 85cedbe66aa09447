//! Everything that is known of a host.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Desired, HostSummary};
use crate::PublicKey;
use crate::facts::Facts;
use crate::report::{Applied, Rejection, ResourceReport, Transition};
use crate::state::ResourceState;

/// Everything that is known of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostView {
    /// What lists tell of it.
    #[serde(flatten)]
    pub summary: HostSummary,
    /// Its key.
    pub key: Option<PublicKey>,
    /// Its age recipient.
    pub recipient: Option<String>,
    /// The enrolment token by which a machine is this host, where its file names no key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
    /// What is published for it.
    pub desired: Option<Desired>,
    /// What it said to have applied.
    pub applied: Option<Applied>,
    /// How many of its resources are in each state.
    pub counts: BTreeMap<ResourceState, u32>,
    /// Its resources that are not as they should be.
    pub deviations: Vec<ResourceReport>,
    /// Its last changes, oldest first.
    pub transitions: Vec<Transition>,
    /// What it last refused, oldest first.
    pub rejections: Vec<Rejection>,
    /// Its facts.
    pub facts: Option<Facts>,
}
