//! One thing that the agent owns.

use crate::resource::{self, Attributes, State, Value, Wanted};
use muster_schema::Sha256Digest;
use muster_schema::content::BlobRef;
use muster_schema::resource::Resource;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// What content, once it is ours, does when its attribute leaves: it stays.
const CONTENT: &str = "content";
/// Something of another type is another thing.
const TYPE: &str = "type";

/// What the agent owns and how it goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The resource as it was last dealt with: its edges, its undo, what happens when it leaves.
    pub resource: Arc<Resource>,
    /// What was found. `Present` holds each attribute as it was just before the agent first dealt with it.
    pub original: Option<State>,
    /// What the host cannot tell: for which value a command ran.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub remembered: Attributes,
    /// A folder that nobody asked for, made because something is to lie in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implicit: bool,
    /// The digest of the resource with which the orchestrator was last reached, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Sha256Digest>,
}

impl Entry {
    /// An entry for something that was not dealt with yet.
    pub fn new(resource: Arc<Resource>, implicit: bool) -> Entry {
        Entry { resource, original: None, remembered: Attributes::new(), implicit, proven: None }
    }

    /// What of `observed` is not kept yet and must be, before `wanted` is made true. `None`: nothing.
    pub fn missing_original(&self, wanted: &Wanted, observed: &State) -> Option<State> {
        let State::Present(found) = observed else {
            return self.original.is_none().then_some(State::Absent);
        };
        let known = match &self.original {
            // We made it: its way back is to go.
            Some(State::Absent) => return None,
            // It was another thing, and all of that is kept.
            Some(State::Present(known)) if known.get(TYPE) != found.get(TYPE) => return None,
            Some(State::Present(known)) => Some(known),
            None => None,
        };
        let all_of_it = match &wanted.state {
            State::Absent => true,
            State::Present(asked) => asked.get(TYPE) != found.get(TYPE),
        };
        let asked = wanted.state.attributes();
        let missing: Attributes = found
            .iter()
            .filter(|(name, _)| all_of_it || asked.is_some_and(|asked| asked.contains_key(*name)))
            .filter(|(name, _)| !known.is_some_and(|known| known.contains_key(*name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        (known.is_none() || !missing.is_empty()).then_some(State::Present(missing))
    }

    /// Adds what was kept.
    pub fn add_original(&mut self, kept: State) {
        match (&mut self.original, kept) {
            (Some(State::Present(known)), State::Present(kept)) => {
                for (name, value) in kept {
                    known.entry(name).or_insert(value);
                }
            }
            (Some(_), _) => {}
            (original @ None, kept) => *original = Some(kept),
        }
    }

    /// Attributes that the agent set and `wanted` does not ask for any more, or not of all of it, with the values that
    /// they go back to: what was found, or of a thing that we made, the default of a new one. Content stays.
    pub fn leaving_attributes(&self, before: &Wanted, wanted: &Wanted, defaults: &Attributes) -> Attributes {
        let State::Present(asked) = &wanted.state else { return Attributes::new() };
        let (found, made) = match &self.original {
            None => return Attributes::new(),
            Some(State::Present(found)) if found.get(TYPE) != asked.get(TYPE) => return Attributes::new(),
            Some(State::Present(found)) => (found, false),
            Some(State::Absent) => (defaults, true),
        };
        let ours = match &before.state {
            // It was not to be there, so all of it was ours.
            State::Absent => found,
            State::Present(managed) => managed,
        };
        let kind = resource::of(&self.resource);
        let gives_way = |name: &Cow<'static, str>| {
            let back = found.get(name).filter(|_| !(made && name == CONTENT));
            kind.give_way(name, asked.get(name), back)
        };
        // Nobody reads secrets of a manifest that is gone, so its specification does not say what it wanted of them.
        let secrets = self.resource.spec.secrets();
        let unread = secrets.into_iter().map(|(slot, _)| Cow::Owned(slot.into_owned()));
        let unread: Vec<Cow<'static, str>> = unread.filter(|slot| !ours.contains_key(slot)).collect();
        ours.keys().chain(&unread).filter_map(|name| Some((name.clone(), gives_way(name)?))).collect()
    }

    /// Forgets the originals of attributes that are not managed any more.
    pub fn release(&mut self, wanted: &Wanted) {
        if let (Some(State::Present(found)), State::Present(asked)) = (&mut self.original, &wanted.state)
            && asked.get(TYPE) == found.get(TYPE)
        {
            found.retain(|name, _| asked.contains_key(name));
        }
    }

    /// What the thing goes back to when its resource leaves. `None`: nothing was found, because nothing was done.
    pub fn way_back(&self) -> Option<Wanted> {
        let kind = resource::of(&self.resource);
        let state = match self.original.as_ref()? {
            State::Absent => State::Absent,
            State::Present(found) => {
                let back = |name: &str, value| kind.give_way(name, None, Some(value));
                let found = found.iter().filter_map(|(name, value)| Some((name.clone(), back(name, value)?)));
                State::Present(found.collect())
            }
        };
        Some(Wanted { state, on_creation: Attributes::new() })
    }

    /// The contents that its way back needs.
    pub(crate) fn contents(&self) -> Vec<BlobRef> {
        let attributes = self.original.as_ref().and_then(State::attributes);
        let found = attributes.into_iter().flat_map(|attributes| attributes.values().filter_map(Value::content));
        // An undo needs its script after the manifest that brought it is gone.
        found.chain(self.resource.spec.blobs()).collect()
    }
}
