//! Directories. What is in them is touched only by `purge` and `recurse`.

use super::entry::path_of;
use super::listing::{self, Listing};
use super::ownership::{GROUP, MODE, OWNER, new_attributes, observe_ownership, wanted_owner};
use super::purge::{ANY_NAME, FOREIGN, apply_foreign, check_amount, keep_foreign, list_foreign};
use super::recurse::{BELOW, apply_below, keep_below, list_differing};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{FileKind, HostError, HostPath, Scope};
use crate::vault::Vault;
use muster_schema::resource::{DirectorySpec, Existence};
use std::borrow::Cow;

const NEW_MODE: &str = "0755";
const NEW_OWNER: &str = "root";
const TYPE: &str = "type";

impl ResourceType for DirectorySpec {
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let wanted = Wanted::default()
            .with(OWNER, wanted_owner(&self.owner, scope))
            .with(GROUP, wanted_owner(&self.group, scope))
            .with(MODE, self.mode.map(|mode| mode.to_string()))
            .with(FOREIGN, self.purge.filter(|purge| *purge).map(|_| Vec::new()))
            .with(BELOW, self.recurse.filter(|recurse| *recurse).map(|_| Vec::new()))
            .or_on_creation(MODE, NEW_MODE);
        if scope.owners { wanted.or_on_creation(OWNER, NEW_OWNER).or_on_creation(GROUP, NEW_OWNER) } else { wanted }
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let meta = view.reader().meta(&path_of(id)?)?;
        match meta {
            None => Ok(State::Absent),
            Some(meta) if meta.kind == FileKind::Directory => {
                let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
                let mut attributes = observe_ownership(&meta, owner, group, &*view.accounts()?);
                if self.purge == Some(true)
                    && let Some(foreign) = list_foreign(self, &path_of(id)?, view)?
                {
                    attributes.insert(Cow::Borrowed(FOREIGN), foreign.into());
                }
                if self.recurse == Some(true)
                    && let Some(differing) = list_differing(self, &path_of(id)?, view)?
                {
                    attributes.insert(Cow::Borrowed(BELOW), differing.into());
                }
                Ok(State::Present(attributes))
            }
            Some(meta) => Ok(State::present([(TYPE, meta.kind.to_string().into())])),
        }
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if let Some(kind) = observed.get(TYPE) {
            return Err(ResourceError::Blocked(format!("a {kind} stands in its place")));
        }
        check_amount(&wanted.state, observed)?;
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn keep(&self, id: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        let mut before = change.before.clone();
        if let (State::Present(attributes), Some(kept)) = (&mut before, keep_foreign(id, change, view, vault)?) {
            attributes.insert(Cow::Borrowed(FOREIGN), kept.into());
        }
        if let (State::Present(attributes), Some(kept)) =
            (&mut before, keep_below(self, &path_of(id)?, change, view, vault)?)
        {
            attributes.insert(Cow::Borrowed(BELOW), kept.into());
        }
        Ok(before)
    }

    /// Where the first look found nothing to do, there is nothing to put back, and nothing more to do.
    fn give_way(&self, name: &str, next: Option<&Value>, original: Option<&Value>) -> Option<Value> {
        let back = original.filter(|value| !matches!(name, FOREIGN | BELOW) || value.content().is_some());
        if next.is_some() { None } else { back.cloned() }
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = path_of(id)?;
        if change.removes() {
            return match hands.host.remove(&path, FileKind::Directory) {
                Err(HostError::NotEmpty(_)) => Err(ResourceError::Blocked("it is not empty".to_owned())),
                other => Ok(other?),
            };
        }
        apply_foreign(id, change, hands)?;
        let new = new_attributes(&change.after, || hands.accounts())?;
        if change.creates() {
            hands.host.make_directory(&path, &new)?;
        } else {
            hands.host.set_attributes(&path, &new)?;
        }
        apply_below(self, &path, change, hands)
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn is_risky(&self, id: &str) -> bool {
        super::risk::is_risky_path(id)
    }

    fn watched_paths(&self, id: &str) -> Vec<HostPath> {
        let own = HostPath::new(id).ok();
        let inside = own
            .as_ref()
            .filter(|_| [self.purge, self.recurse].contains(&Some(true)))
            .and_then(|own| own.join(ANY_NAME).ok());
        own.into_iter().chain(inside).collect()
    }

    fn listing(&self) -> Listing {
        listing::BY_PATH
    }
}
