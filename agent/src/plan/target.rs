//! One thing that the plan is about.

use super::Ordered;
use crate::resource::{self, Wanted};
use muster_schema::Address;
use muster_schema::resource::Resource;
use std::sync::Arc;

/// Why a thing is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A difference is put right.
    Enforce,
    /// A difference is reported. Nothing is written.
    Audit,
    /// A waiver covers it: it is looked at, and nothing is asked of it.
    Waive,
    /// It is no configuration: its probes run beside the plan.
    Probe,
    /// Its resource left: it goes back to what was found.
    Leave,
    /// It makes no sense on this host.
    NotApplicable,
}

/// A thing, and the state it is to be in.
#[derive(Debug, Clone)]
pub struct Target {
    /// The resource: of the manifest, or of the ledger when it leaves.
    pub resource: Arc<Resource>,
    /// What is to be true. `None`: it leaves, and nothing is known to go back to.
    pub wanted: Option<Wanted>,
    /// Why it is looked at.
    pub purpose: Purpose,
    /// A folder that nobody asked for. It is not reported.
    pub implicit: bool,
}

impl Target {
    /// The address of its resource.
    pub fn address(&self) -> &Address {
        &self.resource.address
    }

    /// As far as its place in the order goes by it.
    pub fn ordered(&self) -> Ordered<'_> {
        Ordered { resource: &self.resource, wanted: self.wanted.as_ref() }
    }

    /// Its type.
    pub fn resource_type(&self) -> &dyn resource::ResourceType {
        resource::of(&self.resource)
    }
}
