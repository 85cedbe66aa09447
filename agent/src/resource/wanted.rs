//! What a specification asks for.

use super::{Attributes, State, Value};
use std::borrow::Cow;

/// The state to reach, and what a new thing gets beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What is managed.
    pub state: State,
    /// Attributes that nobody asked for, given on creation only. They are also the originals of a thing that we made.
    pub on_creation: Attributes,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted { state: State::Present(Attributes::new()), on_creation: Attributes::new() }
    }
}

impl Wanted {
    /// The thing is not to be there.
    pub fn absent() -> Wanted {
        Wanted { state: State::Absent, on_creation: Attributes::new() }
    }

    /// Asks for an attribute, if the specification gives a value.
    pub fn with(mut self, name: &'static str, value: Option<impl Into<Value>>) -> Wanted {
        if let (State::Present(attributes), Some(value)) = (&mut self.state, value) {
            attributes.insert(Cow::Borrowed(name), value.into());
        }
        self
    }

    /// Gives an attribute on creation only, if nobody asks for it.
    pub fn or_on_creation(mut self, name: &'static str, value: impl Into<Value>) -> Wanted {
        if self.state.get(name).is_none() {
            self.on_creation.insert(Cow::Borrowed(name), value.into());
        }
        self
    }

    /// The same in as little memory: it is kept as long as the resource.
    #[must_use]
    pub fn shrunk(self) -> Wanted {
        let state = match self.state {
            State::Absent => State::Absent,
            State::Present(attributes) => State::Present(shrunk(attributes)),
        };
        Wanted { state, on_creation: shrunk(self.on_creation) }
    }

    /// The whole state of a new thing.
    pub fn on_new(&self) -> State {
        match &self.state {
            State::Absent => State::Absent,
            State::Present(asked) => {
                let mut all = self.on_creation.clone();
                all.extend(asked.clone());
                State::Present(all)
            }
        }
    }
}

fn shrunk(attributes: Attributes) -> Attributes {
    let mut exact = Attributes::with_capacity(attributes.len());
    exact.extend(attributes);
    exact
}
