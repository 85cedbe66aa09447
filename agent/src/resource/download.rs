//! Files from elsewhere. They are files like others, with the same way back; only their content comes over the network,
//! and only where the file in place has another digest.

use super::entry::{self, CONTENT, Candidacy};
use super::ownership::{GROUP, MODE, OWNER, new_attributes, wanted_owner};
use super::transfer::{open_transfer, transfer_error};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{FileWrite, HostPath, Scope};
use crate::vault::Vault;
use muster_schema::Sha256Digest;
use muster_schema::resource::{DownloadSpec, Existence};

const NEW_MODE: &str = "0644";
const NEW_OWNER: &str = "root";

impl ResourceType for DownloadSpec {
    fn wanted(&self, existence: Existence, scope: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        let wanted = Wanted::default()
            .with(CONTENT, self.sha256.map(|digest| digest.to_string()))
            .with(OWNER, wanted_owner(&self.owner, scope))
            .with(GROUP, wanted_owner(&self.group, scope))
            .with(MODE, self.mode.map(|mode| mode.to_string()))
            .or_on_creation(MODE, NEW_MODE);
        if scope.owners { wanted.or_on_creation(OWNER, NEW_OWNER).or_on_creation(GROUP, NEW_OWNER) } else { wanted }
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let path = file_path(self)?;
        let (owner, group) = (self.owner.as_deref(), self.group.as_deref());
        entry::observe_entry(path.as_str(), true, owner, group, view)
    }

    /// The size of what is to come is not known before, so its digest alone is asked for.
    fn satisfies(&self, _: &str, wanted: &Value, observed: &Value) -> bool {
        match (wanted, observed) {
            (Value::Text(digest), Value::Content(content)) => *digest == content.sha256.to_string(),
            _ => wanted == observed,
        }
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if wanted.state.get(CONTENT).and_then(Value::text).is_some() {
            super::check_sense(self)?;
        }
        if *observed != State::Absent {
            entry::check_replaceable(observed)?;
            // A link in the file's place is replaced, or the link that was there before us comes back.
            if wanted.state != State::Absent && entry::differs_in_type(&wanted.state, observed) {
                return Ok(Some(Change { before: observed.clone(), after: wanted.on_new() }));
            }
        }
        Ok(change::diff_attributes(wanted, observed, |name, wanted, observed| self.satisfies(name, wanted, observed)))
    }

    fn keep(&self, _: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        entry::keep_entry(file_path(self)?.as_str(), change, view, vault)
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = file_path(self)?;
        let Some(digest) = change.after(CONTENT).and_then(Value::text) else {
            return entry::apply_entry(path.as_str(), change, Candidacy::default(), hands);
        };
        let digest: Sha256Digest = digest.parse().map_err(|_| ResourceError::NoContent(digest.to_owned()))?;
        if self.sha256 != Some(digest) {
            return Err(ResourceError::NoContent(digest.to_string()));
        }
        let new = new_attributes(&change.after, || hands.accounts())?;
        let content = open_transfer(self.url.as_deref().unwrap_or_default(), digest, self.max_bytes, hands)?;
        hands.host.write(FileWrite::new(path, content, new)).map_err(transfer_error)
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        file_path(self).into_iter().collect()
    }
}

fn file_path(spec: &DownloadSpec) -> Result<HostPath, ResourceError> {
    let path = spec.path.as_deref().unwrap_or_default();
    HostPath::new(path).map_err(|error| ResourceError::Blocked(format!("'path': {error}")))
}
