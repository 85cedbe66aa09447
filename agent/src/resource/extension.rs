//! Resources of declared collections. What they are is their provider's business; see [`crate::extension`].

use super::{Attributes, Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::extension::Thing;
use crate::host::Scope;
use muster_schema::resource::{Existence, ExtensionProvider, ExtensionSpec};
use serde_json::Map;
use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// An attribute that a provider which cannot remove things gives them, so that plans can say so.
pub const REMOVABLE: &str = "removable";

/// What a module of Ansible would change. It tells this and no attributes.
pub const DIFFERS: &str = "differs";

impl ResourceType for ExtensionSpec {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        if existence == Existence::Absent {
            return Wanted::absent();
        }
        if is_module(self) {
            return Wanted::default().with(DIFFERS, Some(Value::Nothing));
        }
        Wanted { state: State::Present(load_attributes(&self.attributes)), on_creation: Attributes::new() }
    }

    fn observe(&self, id: &str, view: &View<'_>) -> Result<State, ResourceError> {
        observe_extension(self, id, Existence::Present, view)
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        if wanted.state == State::Absent && observed.get(REMOVABLE) == Some(&Value::Bool(false)) {
            return Err(ResourceError::Retained(format!("{} cannot remove it", self.provider)));
        }
        // What leaves is to be as it was found, and of that nothing more is known than that it differed.
        let goes_back = match (&wanted.state, observed) {
            (State::Present(_), State::Absent) => true,
            (asked, _) => asked.get(DIFFERS).is_some_and(|asked| *asked != Value::Nothing),
        };
        if is_module(self) && goes_back {
            return Err(ResourceError::Retained(format!("what {} did cannot be taken back", self.provider)));
        }
        Ok(change::diff_attributes(wanted, observed, |name, wanted, found| self.satisfies(name, wanted, found)))
    }

    fn apply(&self, id: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        check(self)?;
        let writer = hands.host.extension_writer().ok_or_else(|| no_providers(self))?;
        let existence = if change.removes() { Existence::Absent } else { Existence::Present };
        writer.apply(&Thing { id, spec: self, existence, timeout: hands.timeout }, change)
    }

    fn is_polled(&self) -> bool {
        // The others are too dear to be asked every few seconds.
        matches!(self.provider, ExtensionProvider::Plugin(_))
    }
}

/// Whether a module of Ansible provides it, which tells no attributes.
fn is_module(spec: &ExtensionSpec) -> bool {
    matches!(spec.provider, ExtensionProvider::Ansible(_))
}

/// Reads a thing that is to be there, or not.
pub(super) fn observe_extension(
    spec: &ExtensionSpec,
    id: &str,
    existence: Existence,
    view: &View<'_>,
) -> Result<State, ResourceError> {
    check(spec)?;
    let reader = view.host().extensions().ok_or_else(|| no_providers(spec))?;
    reader.observe(&Thing { id, spec, existence, timeout: None })
}

/// Refuses what makes no sense, whoever rendered it.
fn check(spec: &ExtensionSpec) -> Result<(), ResourceError> {
    spec.contradiction().map_or(Ok(()), |reason| Err(ResourceError::Blocked(format!("it {reason}"))))
}

fn no_providers(spec: &ExtensionSpec) -> ResourceError {
    ResourceError::Blocked(format!("this agent has no providers, and {} is one", spec.provider))
}

/// Attributes from JSON. Null is: there is none.
pub fn load_attributes(map: &Map<String, serde_json::Value>) -> Attributes {
    map.iter().map(|(name, value)| (Cow::Owned(name.clone()), Value::from_json(value.clone()))).collect()
}

/// Attributes as JSON, but for what only plans are told.
pub fn json_of(attributes: &Attributes) -> Map<String, serde_json::Value> {
    let told = attributes.iter().filter(|(name, _)| name.as_ref() != REMOVABLE);
    told.map(|(name, value)| (name.to_string(), value.to_json())).collect()
}
