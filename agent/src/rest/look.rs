//! One look at the host beside the worker: the manifest in force, what the ledger says, the host to read.

use super::{Rest, lists, unreadable};
use crate::accepted::Accepted;
use crate::apply::{Risk, hold_reverted};
use crate::converge::{Extent, Observed, look_at_host, observe_host, resources_at};
use crate::host::{HostRead, Notes, RealHost, Scope};
use crate::io::clock;
use crate::ledger::{Entry, Ledger};
use crate::plan::{ContactRule, Plan, Schedule};
use crate::resource::View;
use muster_schema::api::{Problem, ProblemReason};
use muster_schema::resource::{Enforcement, ExtensionSpec, Resource, Spec};
use muster_schema::{Address, Collection, CommitId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What an answer is made from. It holds nothing that can write.
pub(super) struct Look {
    host: RealHost,
    ledger: BTreeMap<Address, Entry>,
    resources: Vec<Arc<Resource>>,
    revision: Option<CommitId>,
    mode: Enforcement,
    confirm_within: Option<Duration>,
    risk: Risk,
}

impl Look {
    /// Reads what is in force now.
    pub(super) fn begin(rest: &Rest) -> Result<Look, Problem> {
        let accepted = Accepted::load(&rest.store).map_err(|error| unreadable(&error))?;
        let accepted = accepted.filter(|accepted| !accepted.retired);
        let manifest = accepted.as_ref().and_then(|accepted| accepted.manifest(&rest.blobs));
        let now = accepted.as_ref().map(|accepted| accepted.judged_time(clock::now())).unwrap_or_default();
        let host = RealHost::open(&rest.root).map_err(|error| unreadable(&error))?;
        let host = match &rest.extensions {
            Some(extensions) => host.with_extensions(extensions.clone()),
            None => host,
        };
        let mut resources = manifest.map(|manifest| manifest.resources).unwrap_or_default();
        let host = match &rest.secrets {
            Some(secrets) => {
                // What cannot be read is told by each resource that needs it.
                let _ = secrets.fill(&mut resources, &rest.blobs);
                host.with_secrets(secrets.clone())
            }
            None => host,
        };
        Ok(Look {
            host: host.with_notes(Notes::look(&rest.folder.join("notes"))),
            ledger: Ledger::look(&rest.folder.join("ledger")).map_err(|error| unreadable(&error))?,
            resources: resources_at(resources, now),
            revision: accepted.map(|accepted| accepted.applied.revision),
            mode: rest.mode,
            confirm_within: rest.confirm_within,
            risk: Risk::load(&rest.store).map_err(|error| unreadable(&error))?,
        })
    }

    /// The resources of the manifest in force.
    pub(super) fn resources(&self) -> &[Arc<Resource>] {
        &self.resources
    }

    /// The revision in force.
    pub(super) fn revision(&self) -> Option<CommitId> {
        self.revision.clone()
    }

    /// What makes sense on this host.
    pub(super) fn scope(&self) -> Scope {
        self.host.scope()
    }

    /// Which changes stand only when the orchestrator is reached after them.
    pub(super) fn contact(&self) -> ContactRule<'_> {
        ContactRule { within: self.confirm_within, scope: self.scope(), ledger: &self.ledger }
    }

    /// What the worker would do now.
    pub(super) fn plan(&self) -> Result<(Schedule, Plan), Problem> {
        let Look { host, ledger, resources, mode, .. } = self;
        if self.revision.is_none() {
            return Ok((Schedule::default(), Plan::default()));
        }
        let (schedule, plan) = look_at_host(host, ledger, resources, *mode).map_err(|error| unreadable(&error))?;
        let plan = self.hold_back(&schedule, plan);
        Ok((schedule, plan))
    }

    /// What was taken back is not tried again.
    pub(super) fn hold_back(&self, schedule: &Schedule, plan: Plan) -> Plan {
        hold_reverted(self.risk.reverted(), schedule, plan)
    }

    /// What the host has of one target.
    pub(super) fn observe(&self, address: &Address) -> Result<(Schedule, Observed), Problem> {
        let Look { host, ledger, resources, mode, .. } = self;
        if self.revision.is_none() {
            return Ok((Schedule::default(), Observed::default()));
        }
        let only = BTreeSet::from([address.clone()]);
        observe_host(host, ledger, resources, *mode, Extent::Only(&only)).map_err(|error| unreadable(&error))
    }

    /// A resource that asks for nothing, so that its thing can be read.
    pub(super) fn unmanaged(&self, address: &Address) -> Result<Resource, Problem> {
        let not_managed = || Problem::new(ProblemReason::NotManaged, format!("{address} is not managed here"));
        let attributes = match self.provider_of(address.collection()) {
            Some(spec) => serde_json::json!(ExtensionSpec { attributes: Default::default(), ..spec.clone() }),
            None => serde_json::json!({}),
        };
        let bare = serde_json::json!({"address": address, "attributes": attributes});
        let resource: Resource = serde_json::from_value(bare).map_err(|_| {
            not_managed().with_hint("things of this type exist only where the state repository names them")
        })?;
        if self.scope().sandbox && !crate::resource::of(&resource).in_sandbox() {
            return Err(not_managed().with_hint("below --root there are only files, directories and links"));
        }
        Ok(resource)
    }

    /// Reads in one pass that is about `resource`.
    pub(super) fn with_view<T>(&self, resource: &Resource, read: impl FnOnce(&View<'_>) -> T) -> T {
        read(&View::new(&self.host).about([resource]))
    }

    /// All things of a collection that the host has.
    pub(super) fn list_all(&self, collection: Collection) -> Result<BTreeSet<Address>, Problem> {
        let (Some(name), Some(spec)) = (collection.extension(), self.provider_of(collection)) else {
            return lists::list_all(collection, &View::new(&self.host));
        };
        let listed = self.host.extensions().map(|extensions| extensions.list(name, &spec.provider)).transpose();
        let ids = listed.map_err(|error| unreadable(&error))?.unwrap_or_default();
        Ok(ids.into_iter().filter_map(|id| Address::new(collection, id).ok()).collect())
    }

    /// Who provides a declared collection, by a resource of it that is managed.
    pub(super) fn provider_of(&self, collection: Collection) -> Option<&ExtensionSpec> {
        self.resources.iter().find_map(|resource| match &resource.spec {
            Spec::Extension(spec) if resource.address.collection() == collection => Some(spec.as_ref()),
            _ => None,
        })
    }
}
