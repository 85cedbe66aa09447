//! What a manifest and the ledger together ask for, in order.

use super::reactions::{Reactions, reactions_of};
use super::{CycleError, Order, Purpose, Target};
use crate::host::Scope;
use crate::ledger::Entry;
use crate::resource::{self, State, Wanted};
use muster_schema::resource::{DirectorySpec, Enforcement, Existence, Meta, OnRemove, Resource, Spec};
use muster_schema::{Address, Collection};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a schedule is made of.
pub struct ScheduleInput<'a> {
    /// The resources of the manifest as they are to be now.
    pub resources: &'a [Arc<Resource>],
    /// What the agent owns.
    pub ledger: &'a BTreeMap<Address, Entry>,
    /// What makes sense here.
    pub scope: Scope,
    /// What is done about differences where a resource does not say.
    pub mode: Enforcement,
    /// Folders on the way to resources that are missing; made in a sandbox.
    pub missing_folders: &'a BTreeSet<String>,
}

/// All targets in their order.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// What is looked at.
    pub targets: Vec<Target>,
    /// In which order. What leaves comes last, backwards; first what stands where something else is to be.
    pub order: Order,
    /// Who reacts to whom.
    pub reactions: Reactions,
    /// Whether a target stands for what its resource was about before: that goes back first, and then all is to be
    /// looked at anew.
    pub moves: bool,
    index: HashMap<Address, usize>,
}

impl Schedule {
    /// Makes the schedule.
    ///
    /// # Errors
    /// When what the resources require leads in a circle.
    pub fn of(input: &ScheduleInput<'_>) -> Result<Schedule, CycleError> {
        let mut targets: Vec<Target> = input.resources.iter().map(|resource| kept(resource, input)).collect();
        let moves = targets.iter().any(|target| target.purpose == Purpose::Leave);
        let mut managed: BTreeSet<Address> = targets.iter().map(|target| target.address().clone()).collect();
        for folder in implicit_folders(input, &managed) {
            managed.insert(folder.address.clone());
            targets.push(Target { implicit: true, ..kept(&Arc::new(folder), input) });
        }
        let (early, late): (Vec<Target>, Vec<Target>) = input
            .ledger
            .values()
            .filter(|entry| !managed.contains(&entry.resource.address))
            .map(|entry| leaves(entry, input))
            .partition(|leaving| targets.iter().any(|kept| is_in_the_way(leaving, kept)));
        let order = join_orders(&[early.as_slice(), &targets, &late])?;
        targets.splice(0..0, early);
        targets.extend(late);
        let index = targets.iter().enumerate().map(|(at, target)| (target.address().clone(), at)).collect();
        let reactions = reactions_of(&targets, input.ledger, &index);
        Ok(Schedule { targets, order, reactions, moves, index })
    }

    /// The target of an address.
    pub fn find(&self, address: &Address) -> Option<usize> {
        self.index.get(address).copied()
    }
}

/// A resource of the manifest, with attributes that left put back.
fn kept(resource: &Arc<Resource>, input: &ScheduleInput<'_>) -> Target {
    let kind = resource::of(resource);
    let mut wanted = kind.wanted(resource.meta.state, input.scope);
    if !kind.can_tell() && !resource.meta.run_on.is_empty() {
        // It only reacts.
        wanted = Wanted::default();
    }
    let purpose = purpose_of(resource, input);
    let known = input.ledger.get(&resource.address).filter(|_| purpose == Purpose::Enforce);
    if let Some(entry) = known.filter(|entry| entry.resource.spec.place() != resource.spec.place()) {
        return leaves(entry, input);
    }
    if let Some(entry) = known
        && entry.resource.meta.on_remove != OnRemove::Keep
    {
        let before = resource::of(&entry.resource).wanted(entry.resource.meta.state, input.scope);
        let back = entry.leaving_attributes(&before, &wanted, &wanted.on_creation);
        // A secret that cannot be read now is asked for all the same.
        let secrets = resource.spec.secrets();
        let unread = |name: &str| secrets.iter().any(|(slot, content)| slot == name && content.filled.is_none());
        if let State::Present(attributes) = &mut wanted.state {
            attributes.extend(back.into_iter().filter(|(name, _)| !unread(name)));
        }
    }
    resource::unite_memberships(resource, &mut wanted, input.resources, |other| is_in_force(other, input));
    Target { resource: resource.clone(), wanted: Some(wanted.shrunk()), purpose, implicit: false }
}

/// Why a resource of the manifest is looked at.
fn purpose_of(resource: &Resource, input: &ScheduleInput<'_>) -> Purpose {
    let kind = resource::of(resource);
    match resource.meta.mode.unwrap_or(input.mode) {
        _ if input.scope.sandbox && !kind.in_sandbox() => Purpose::NotApplicable,
        // What is not in force was taken out before.
        _ if resource.exception.is_some() => Purpose::Waive,
        _ if kind.only_probes() => Purpose::Probe,
        Enforcement::Enforce => Purpose::Enforce,
        Enforcement::ApplyOnce
            if !input.ledger.get(&resource.address).is_some_and(|entry| *entry.resource == *resource) =>
        {
            Purpose::Enforce
        }
        Enforcement::Audit | Enforcement::ApplyOnce => Purpose::Audit,
    }
}

/// Whether it is made true now, or was before. What is about to move is neither here nor there.
fn is_in_force(resource: &Resource, input: &ScheduleInput<'_>) -> bool {
    match input.ledger.get(&resource.address) {
        Some(entry) => entry.resource.spec.place() == resource.spec.place(),
        None => purpose_of(resource, input) == Purpose::Enforce,
    }
}

/// Something that is owned and not asked for any more.
fn leaves(entry: &Entry, input: &ScheduleInput<'_>) -> Target {
    let applicable = !input.scope.sandbox || resource::of(&entry.resource).in_sandbox();
    let stays = entry.resource.meta.on_remove == OnRemove::Keep;
    let mut wanted = entry.way_back().filter(|_| applicable && !stays);
    if let Some(wanted) = &mut wanted {
        resource::unite_memberships(&entry.resource, wanted, input.resources, |other| is_in_force(other, input));
    }
    Target { resource: entry.resource.clone(), wanted, purpose: Purpose::Leave, implicit: entry.implicit }
}

/// In a sandbox, folders that nobody manages and that are missing, or that we made, as long as something is to lie
/// in them.
fn implicit_folders(input: &ScheduleInput<'_>, managed: &BTreeSet<Address>) -> Vec<Resource> {
    if !input.scope.sandbox {
        return Vec::new();
    }
    let mut folders = BTreeSet::new();
    for resource in input.resources {
        let Some(mut path) = resource_path(resource).filter(|_| resource.meta.state != Existence::Absent) else {
            continue;
        };
        while let Some((parent, _)) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
            folders.insert(parent);
            path = parent;
        }
    }
    let in_the_way = |folder: &str| {
        let address = |collection| Address::new(collection, folder).ok();
        [Collection::Directories, Collection::Links, Collection::Files]
            .into_iter()
            .any(|collection| address(collection).is_some_and(|address| managed.contains(&address)))
    };
    folders
        .into_iter()
        .filter(|folder| !in_the_way(folder))
        .filter_map(|folder| Address::new(Collection::Directories, folder).ok())
        .filter(|address| {
            let ours = input.ledger.get(address).is_some_and(|entry| entry.implicit);
            ours || input.missing_folders.contains(address.id())
        })
        .map(|address| Resource {
            address,
            application: None,
            meta: Meta::default(),
            spec: Spec::Directory(DirectorySpec::default()),
            exception: None,
        })
        .collect()
}

/// Where the thing stands, or the folder that it lies in.
pub(crate) fn resource_path(resource: &Resource) -> Option<&str> {
    let is_id = resource.address.collection().occupies_path();
    if is_id { Some(resource.address.id()) } else { resource.spec.own_path() }
}

/// Whether what leaves stands where `kept` is to be, or is about the same thing.
fn is_in_the_way(leaving: &Target, kept: &Target) -> bool {
    let (old, new) = (leaving.address(), kept.address());
    // What takes over from it is to find what was there before it.
    if leaving.resource.has_place_of(&kept.resource) {
        return !leaving.resource_type().shares_place();
    }
    // Who belongs to what is known to both sides: neither is to find what the other one made of it.
    let accounts = [(Collection::Groups, Collection::Users), (Collection::Users, Collection::Groups)];
    if accounts.contains(&(old.collection(), new.collection())) {
        return leaving.wanted.as_ref().is_some_and(|wanted| wanted.state != State::Absent);
    }
    let (old_paths, new_paths) = (leaving.resource.paths(), kept.resource.paths());
    if old_paths.is_empty() || new_paths.is_empty() {
        return false;
    }
    let any =
        |is_so: &dyn Fn(&str, &str) -> bool| old_paths.iter().any(|old| new_paths.iter().any(|new| is_so(old, new)));
    if any(&|old, new| old == new) || kept.resource.meta.state == Existence::Absent {
        return any(&|old, new| old == new);
    }
    let is_below = |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    (new.collection() != Collection::Directories && any(&|old, new| is_below(old, new)))
        || (old.collection() != Collection::Directories && any(&|old, new| is_below(new, old)))
}

/// One order of all: those that make way backwards, the kept forwards, those that leave backwards. Indices go on from
/// one list to the next.
fn join_orders([early, kept, late]: &[&[Target]; 3]) -> Result<Order, CycleError> {
    let order_of = |targets: &[Target]| Order::of(&targets.iter().map(Target::ordered).collect::<Vec<_>>());
    let mut joined = Order::default();
    for mut order in [order_of(early)?.reversed(), order_of(kept)?, order_of(late)?.reversed()] {
        let shift = joined.blockers.len();
        for list in order.stages.iter_mut().chain(order.blockers.iter_mut()) {
            for at in list {
                *at += shift;
            }
        }
        joined.stages.append(&mut order.stages);
        joined.blockers.append(&mut order.blockers);
    }
    Ok(joined)
}
