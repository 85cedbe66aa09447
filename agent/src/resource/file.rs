//! Regular files.

use super::entry::{self, CONTENT, Candidacy, TYPE, path_of};
use super::extended::{ask_extended, observe_extended};
use super::listing::{self, Listing};
use super::ownership::{GROUP, MODE, OWNER, wanted_owner};
use super::sealed_text::{check_read, wanted_content};
use super::{Batch, BatchItem, Change, Hands, ResourceError, ResourceType, State, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::vault::Vault;
use muster_schema::content::BlobRef;
use muster_schema::resource::{Existence, FileSpec, Spec};
use muster_schema::secret::Content;

const NEW_MODE: &str = "0644";
const NEW_OWNER: &str = "root";
/// The mode of a file with secrets in it, where nothing is said.
const SECRET_MODE: &str = "0600";

impl ResourceType for FileSpec {
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let wanted = Wanted::default()
            .with(CONTENT, self.content.as_ref().and_then(wanted_content))
            .with(OWNER, wanted_owner(&self.owner, scope))
            .with(GROUP, wanted_owner(&self.group, scope))
            .with(MODE, wanted_mode(self))
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
        if has_secrets(self) {
            entry::seal_observed(&mut observed, view);
        }
        Ok(observed)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        check_read(self.content.as_ref().and_then(Content::secret), CONTENT, wanted)?;
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
        match has_secrets(self) {
            true => entry::keep_sealed(id, change, view, vault),
            false => entry::keep_entry(id, change, view, vault),
        }
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

fn has_secrets(spec: &FileSpec) -> bool {
    spec.content.as_ref().is_some_and(|content| content.secret().is_some())
}

fn wanted_mode(spec: &FileSpec) -> Option<String> {
    let given = spec.mode.map(|mode| mode.to_string());
    given.or_else(|| has_secrets(spec).then(|| SECRET_MODE.to_owned()))
}

fn candidacy(spec: &FileSpec) -> Candidacy<'_> {
    Candidacy { validate: spec.validate.as_deref(), backup: spec.backup == Some(true), has_secrets: has_secrets(spec) }
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
