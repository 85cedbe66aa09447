//! The difference that is to be made, with its way back.

use super::{State, Value, Wanted};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One change of one thing. When it is there before and after, both sides hold the attributes that change and no
/// others; else they hold all that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What is there.
    pub before: State,
    /// What is to be there.
    pub after: State,
}

impl Change {
    /// The change back.
    pub fn inverse(&self) -> Change {
        Change { before: self.after.clone(), after: self.before.clone() }
    }

    /// Whether it makes the thing.
    pub fn creates(&self) -> bool {
        self.before == State::Absent
    }

    /// Whether it removes the thing.
    pub fn removes(&self) -> bool {
        self.after == State::Absent
    }

    /// The new value of an attribute, if it changes.
    pub fn after(&self, name: &str) -> Option<&Value> {
        self.after.get(name)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (_, State::Absent) => f.write_str("remove"),
            (State::Absent, State::Present(_)) => f.write_str("create"),
            (State::Present(before), State::Present(after)) => {
                for (index, (name, value)) in after.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    match before.get(name) {
                        Some(old) => write!(f, "{separator}{name}: {old} → {value}")?,
                        None => write!(f, "{separator}{name}: {value}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// Compares attribute by attribute.
pub(super) fn diff_attributes(
    wanted: &Wanted,
    observed: &State,
    satisfies: impl Fn(&str, &Value, &Value) -> bool,
) -> Option<Change> {
    match (&wanted.state, observed) {
        (State::Absent, State::Absent) => None,
        (State::Absent, State::Present(_)) => Some(Change { before: observed.clone(), after: State::Absent }),
        (State::Present(_), State::Absent) => Some(Change { before: State::Absent, after: wanted.on_new() }),
        (State::Present(asked), State::Present(found)) => {
            let differs =
                |name: &str, value: &Value| !found.get(name).is_some_and(|found| satisfies(name, value, found));
            let after: super::Attributes = asked
                .iter()
                .filter(|(name, value)| differs(name, value))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect();
            if after.is_empty() {
                return None;
            }
            let before = found.iter().filter(|(n, _)| after.contains_key(*n)).map(|(n, v)| (n.clone(), v.clone()));
            Some(Change { before: State::Present(before.collect()), after: State::Present(after) })
        }
    }
}

/// Compares a part of a file, of which there is one attribute. A missing file has no part, and needs none where the
/// part is to be missing.
pub(super) fn diff_part(name: &'static str, wanted: &Wanted, observed: &State) -> Option<Change> {
    let found = observed.get(name).unwrap_or(&Value::Nothing);
    let asked = wanted.state.get(name);
    if asked.unwrap_or(&Value::Nothing) == found {
        return None;
    }
    let after = match (asked, &wanted.state) {
        // The file was not there, and goes with the last thing in it.
        (None, State::Absent) => State::Absent,
        (None, State::Present(_)) => return None,
        (Some(asked), _) => State::present([(name, asked.clone())]),
    };
    Some(Change { before: observed.clone(), after })
}
