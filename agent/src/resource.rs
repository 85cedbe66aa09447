//! Resource types: how the agent reads, compares and changes one kind of thing.
//!
//! A type implements [`ResourceType`] for its specification of the schema, in one file of this folder, and has one
//! arm in [`of`]. Everything else (order, journal, originals, reports) works on [`State`] and [`Change`] alone.

mod account;
mod acl;
mod archive;
mod authorized_keys;
mod block;
mod certificate;
mod change;
mod check;
mod checkout;
mod command;
mod container;
mod cron;
mod directory;
mod download;
mod edited_file;
mod entry;
mod error;
mod extended;
mod extension;
mod file;
mod firewall;
mod generated_file;
mod generated_unit;
mod group;
mod hands;
mod host_entry;
mod hostname;
mod kept;
mod kernel_module;
mod line;
mod link;
mod listing;
mod locale;
mod membership;
mod mount;
mod ownership;
mod package;
mod patience;
mod purge;
mod reboot;
mod recurse;
mod repository;
mod risk;
mod sealed;
mod sealed_text;
mod secret;
mod service;
mod settings_file;
mod some_of;
mod state;
mod structured;
mod sudo_rule;
mod sysctl;
mod system_text;
#[cfg(test)]
pub(crate) mod test_converger;
mod timer;
mod timezone;
mod transfer;
mod unit;
mod unit_look;
mod unpacked;
mod user;
mod view;
mod wanted;

pub use change::Change;
pub use error::ResourceError;
pub use extension::{DIFFERS, REMOVABLE, json_of, load_attributes};
pub use hands::{Contents, Hands};
pub use listing::Listing;
pub(crate) use membership::{unite_memberships, without_made};
pub use patience::Patience;
pub(crate) use purge::ANY_NAME;
pub(crate) use reboot::{forget as forget_reboot, reboot_address, was_settled as reboot_was_settled};
pub use sealed::Sealed;
pub(crate) use sealed_text::conceal;
pub use secret::Secret;
pub(crate) use state::MASK;
pub use state::{Attributes, State, Value};
pub use structured::Structured;
pub use view::View;
pub use wanted::Wanted;

use crate::host::{HostPath, Scope};
use crate::provider::systemd::UnitName;
use crate::vault::Vault;
use muster_schema::resource::{Existence, Meta, Resource, ResourceSpec, Spec};
use muster_schema::{Collection, Timestamp};

/// One kind of thing. `self` is the specification of one resource.
pub trait ResourceType {
    /// What the specification asks for. Pure.
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted;

    /// Reads what the host has under `id`: all attributes that the type knows, or at least those of the
    /// specification. Writes nothing; programs that it runs only look.
    ///
    /// # Errors
    /// When it cannot be read.
    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError>;

    /// As `observe`, for a thing that is to be there in its newest version: `latest` says whether it is.
    ///
    /// # Errors
    /// As `observe`.
    fn observe_latest(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        self.observe(id, view)
    }

    /// Whether the observed value of an attribute satisfies the wanted one.
    fn satisfies(&self, _attribute: &str, wanted: &Value, observed: &Value) -> bool {
        wanted == observed
    }

    /// What is to change, if anything. Pure. Types override it where attributes do not stand for themselves.
    ///
    /// # Errors
    /// `Blocked`, when the difference is one that must not be put right.
    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        Ok(change::diff_attributes(wanted, observed, |name, wanted, observed| self.satisfies(name, wanted, observed)))
    }

    /// Why a change will not be made, or not wholly, as far as that can be seen: the plan says it beforehand. Reads
    /// only. `apply` looks again, and has the last word.
    fn foresee(&self, _id: &str, _change: &Change, _view: &View<'_>) -> Option<String> {
        None
    }

    /// Keeps what the state before a change only refers to, such as a file's content. The answer is the state before,
    /// complete enough to come back to.
    ///
    /// # Errors
    /// When it cannot be read or kept; the change is then not made.
    fn keep(&self, _id: &str, change: &Change, _view: &View<'_>, _vault: &Vault) -> Result<State, ResourceError> {
        Ok(change.before.clone())
    }

    /// What is to be asked of an attribute when this specification gives way to one that asks for `next` of it, or
    /// for nothing, and `original` is what it goes back to. `None`: nothing beside `next`. Pure.
    fn give_way(&self, _name: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        keep_or_restore(next, original)
    }

    /// Whether resources of the same place share it: each adds to what the others have there. Their originals are what
    /// there would be without any of them, so the first to leave needs no other one to tell.
    fn shares_place(&self) -> bool {
        false
    }

    /// Makes one change. Durable when it returns.
    ///
    /// # Errors
    /// When it could not be made, or not wholly.
    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError>;

    /// How several changes of this type are made together, where that is better than one after the other.
    fn batch(&self) -> Option<Batch> {
        None
    }

    /// Reacts to the change of something else, in the way that the plan names.
    ///
    /// # Errors
    /// When the reaction failed. It stays owed.
    fn react(&self, _id: &str, _reaction: Reaction, _hands: &Hands<'_>) -> Result<(), ResourceError> {
        Ok(())
    }

    /// Whether this change, once it was made, leaves nothing to react to: the thing was started by it, after everything
    /// that it reads was changed. Pure.
    fn starts(&self, _change: &Change) -> bool {
        false
    }

    /// How it reacts to a change of its own.
    fn reacts_to_itself(&self) -> Option<Reaction> {
        None
    }

    /// What is to succeed after a change; if it fails, the change is taken back.
    fn confirm(&self) -> Option<&[String]> {
        None
    }

    /// Whether the host can tell that it is right. What cannot be told is never `compliant`.
    fn can_tell(&self) -> bool {
        true
    }

    /// Whether one change brings it back wholly. What may need another that comes back in the same run is let go only
    /// when it is as it was.
    fn comes_back_at_once(&self) -> bool {
        true
    }

    /// What the ledger is to remember of a change, because the host cannot tell.
    fn remembered(&self, _change: &Change) -> Attributes {
        Attributes::new()
    }

    /// Whether it makes sense in a tree under `--root`.
    fn in_sandbox(&self) -> bool {
        false
    }

    /// Whether a mistake in it may lock people or the agent out of the host: a change of it then stands only when the
    /// orchestrator is reached after it.
    fn is_risky(&self, _id: &str) -> bool {
        false
    }

    /// Whether it is no configuration, and only looks: plans have nothing to do with it, and its probes run beside them.
    fn only_probes(&self) -> bool {
        false
    }

    /// Whether its drift is told by nothing and has to be looked for now and then.
    fn is_polled(&self) -> bool {
        false
    }

    /// When it will be another state by the clock alone, next after `now`. Reads only.
    fn next_change(&self, _view: &View<'_>, _now: Timestamp) -> Option<Timestamp> {
        None
    }

    /// Paths whose change may be drift of this resource.
    fn watched_paths(&self, _id: &str) -> Vec<HostPath> {
        Vec::new()
    }

    /// How long an event about it waits before it is looked at.
    fn patience(&self) -> Patience {
        Patience::Writer
    }

    /// The unit of systemd whose change may be drift of this resource.
    fn watched_unit(&self, _id: &str) -> Option<UnitName> {
        None
    }

    /// How all things of this type that the host has are found, managed or not. It is asked of a specification that
    /// says nothing. Each id that is found is one under which [`ResourceType::observe`] finds something.
    fn listing(&self) -> Listing {
        Listing::Not("things of this type exist only where the state repository names them")
    }
}

/// How a resource reacts, once per apply, after all its triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// The service manager reads the file of a unit.
    Read,
    /// A service reloads.
    Reload,
    /// A service restarts; it makes a reload needless.
    Restart,
    /// A command runs.
    Run,
}

impl std::fmt::Display for Reaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Reaction::Read => "read by systemd",
            Reaction::Reload => "reloaded",
            Reaction::Restart => "restarted",
            Reaction::Run => "ran",
        })
    }
}

/// One of several changes of a type.
#[derive(Clone, Copy)]
pub struct BatchItem<'a> {
    /// The resource.
    pub resource: &'a Resource,
    /// What is to change.
    pub change: &'a Change,
}

/// Makes several changes together; the answers are in their order.
pub type Batch = fn(&[BatchItem<'_>], &Hands<'_>) -> Vec<Result<(), ResourceError>>;

/// The type of a resource. The one place that lists them all.
pub fn of(resource: &Resource) -> &dyn ResourceType {
    type_of(&resource.spec)
}

fn type_of(spec: &Spec) -> &dyn ResourceType {
    match spec {
        Spec::Directory(spec) => spec,
        Spec::File(spec) => spec,
        Spec::Download(spec) => spec,
        Spec::Archive(spec) => &**spec,
        Spec::Checkout(spec) => &**spec,
        Spec::Certificate(spec) => &**spec,
        Spec::Link(spec) => spec,
        Spec::Line(spec) => spec,
        Spec::Block(spec) => spec,
        Spec::SettingsFile(spec) => spec,
        Spec::Package(spec) => spec,
        Spec::Repository(spec) => &**spec,
        Spec::Group(spec) => spec,
        Spec::User(spec) => spec,
        Spec::Command(spec) => &**spec,
        Spec::Cron(spec) => spec,
        Spec::Timer(spec) => spec,
        Spec::Container(spec) => &**spec,
        Spec::Unit(spec) => spec,
        Spec::Service(spec) => spec,
        Spec::AuthorizedKeys(spec) => spec,
        Spec::SudoRule(spec) => spec,
        Spec::Sysctl(spec) => spec,
        Spec::KernelModule(spec) => spec,
        Spec::Mount(spec) => spec,
        Spec::Firewall(spec) => spec,
        Spec::Check(spec) => &**spec,
        Spec::Reboot(spec) => spec,
        Spec::Hostname(spec) => spec,
        Spec::Timezone(spec) => spec,
        Spec::Locale(spec) => spec,
        Spec::HostEntry(spec) => spec,
        Spec::Extension(spec) => spec.as_ref(),
    }
}

/// How all things of a collection that the host has are found.
pub fn listing_of(collection: Collection, scope: Scope) -> Listing {
    let Some(empty) = Spec::empty(collection) else {
        return Listing::Not(
            "its provider is not asked for what the host has; ask without ?all=true for what is managed",
        );
    };
    let resource_type = type_of(&empty);
    match resource_type.listing() {
        Listing::By(_) if scope.sandbox && !resource_type.in_sandbox() => {
            Listing::Not("below --root there are only files, directories and links")
        }
        listing => listing,
    }
}

/// Refuses what makes no sense, whoever rendered it.
fn check_sense(spec: &impl ResourceSpec) -> Result<(), ResourceError> {
    match spec.contradiction(&Meta::default()) {
        Some(reason) => Err(ResourceError::Blocked(format!("it {reason}"))),
        None => Ok(()),
    }
}

/// Whether a mistake in it may cut off the host, by its type, its path, or the file that it edits.
pub fn is_risky(resource: &Resource) -> bool {
    let paths = [resource.spec.edited_path(), resource.spec.own_path()];
    of(resource).is_risky(resource.address.id()) || paths.into_iter().flatten().any(risk::is_risky_path)
}

/// What most attributes do when their specification gives way: the next value counts, or else the original.
fn keep_or_restore(next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
    if next.is_some() { None } else { original.cloned() }
}

/// Reads what the host has of a resource.
///
/// # Errors
/// When it cannot be read.
pub fn observe(resource: &Resource, view: &View<'_>) -> Result<State, ResourceError> {
    let id = resource.address.id();
    if let Spec::Extension(spec) = &resource.spec {
        return extension::observe_extension(spec, id, resource.meta.state, view);
    }
    match resource.meta.state {
        Existence::Latest => of(resource).observe_latest(id, view),
        Existence::Present | Existence::Absent => of(resource).observe(id, view),
    }
}
