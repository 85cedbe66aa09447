//! Regular files.

use super::entry::{self, CONTENT, Candidacy, TYPE, path_of};
use super::extended::{ask_extended, observe_extended};
use super::listing::{self, Listing};
use super::ownership::{GROUP, MODE, OWNER, wanted_owner};
use super::{Batch, BatchItem, Change, Hands, ResourceError, ResourceType, State, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{Existence, FileSpec, Spec};

const NEW_MODE: &str = "0644";
const NEW_OWNER: &str = "root";

impl ResourceType for FileSpec {
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let wanted = Wanted::default()
            .with(CONTENT, self.content)
            .with(OWNER, wanted_owner(&self.owner, scope))
            .with(GROUP, wanted_owner(&self.group, scope))
            .with(MODE, self.mode.map(|mode| mode.to_string()))
            .or_on_creation(CONTENT, BlobRef::of(b""))
            .or_on_creation(MODE, NEW_MODE);
        let wanted = ask_extended(self, wanted);
        if scope.owners { wanted.or_on_creation(OWNER, NEW_OWNER).or_on_creation(GROUP, NEW_OWNER) } else { wanted }
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
        let mut observed = entry::observe_entry(id, self.content.is_some(), owner, group, view)?;
        if let State::Present(attributes) = &mut observed
            && !attributes.contains_key(TYPE)
        {
            observe_extended(self, &path_of(id)?, view, attributes)?;
        }
        Ok(observed)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if *observed == State::Absent {
            return Ok(change::diff_attributes(wanted, observed, |_, a, b| a == b));
        }
        entry::check_replaceable(observed)?;
        // A link in the file's place is replaced, or the link that was there before us comes back.
        if wanted.state != State::Absent && entry::differs_in_type(&wanted.state, observed) {
            return Ok(Some(Change { before: observed.clone(), after: wanted.on_new() }));
        }
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        entry::keep_entry(id, change, view, vault)
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        entry::apply_entry(id, change, candidacy(self), hands)
    }

    fn batch(&self) -> Option<Batch> {
        Some(apply_batch)
    }

    fn confirm(&self) -> Option<&[String]> {
        self.confirm.as_deref()
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn is_risky(&self, id: &str) -> bool {
        super::risk::is_risky_path(id)
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        HostPath::new(id).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        listing::BY_PATH
    }
}

fn candidacy(spec: &FileSpec) -> Candidacy<'_> {
    Candidacy { validate: spec.validate.as_deref(), backup: spec.backup == Some(true) }
}

fn candidacy_of<'a>(item: &BatchItem<'a>) -> Candidacy<'a> {
    match &item.resource.spec {
        Spec::File(file) => candidacy(file),
        _ => Candidacy::default(),
    }
}

fn apply_batch(items: &[BatchItem<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let candidacies: Vec<Candidacy<'_>> = items.iter().map(candidacy_of).collect();
    entry::apply_entries(items, &candidacies, hands)
}
