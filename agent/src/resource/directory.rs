//! Directories. What is in them is never touched.

use super::entry::path_of;
use super::ownership::{GROUP, MODE, OWNER, new_attributes, observe_ownership, wanted_owner};
use super::{Change, Hands, ResourceError, ResourceType, State, View, Wanted, change};
use crate::host::{FileKind, HostError, HostPath, Scope};
use muster_schema::resource::{DirectorySpec, Existence};

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
            .or_on_creation(MODE, NEW_MODE);
        if scope.owners { wanted.or_on_creation(OWNER, NEW_OWNER).or_on_creation(GROUP, NEW_OWNER) } else { wanted }
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let meta = view.reader().meta(&path_of(id)?)?;
        match meta {
            None => Ok(State::Absent),
            Some(meta) if meta.kind == FileKind::Directory => {
                let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
                Ok(State::Present(observe_ownership(&meta, owner, group, &*view.accounts()?)))
            }
            Some(meta) => Ok(State::present([(TYPE, meta.kind.to_string().into())])),
        }
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if let Some(kind) = observed.get(TYPE) {
            return Err(ResourceError::Blocked(format!("a {kind} stands in its place")));
        }
        Ok(change::diff_attributes(wanted, observed, |_, wanted, observed| wanted == observed))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = path_of(id)?;
        if change.removes() {
            return match hands.host.remove(&path, FileKind::Directory) {
                Err(HostError::NotEmpty(_)) => Err(ResourceError::Blocked("it is not empty".to_owned())),
                other => Ok(other?),
            };
        }
        let new = new_attributes(&change.after, || hands.accounts())?;
        if change.creates() {
            hands.host.make_directory(&path, &new)?;
        } else {
            hands.host.set_attributes(&path, &new)?;
        }
        Ok(())
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
}
