//! Exceptions: what holds of a resource for a limited time.

use serde::{Deserialize, Serialize};

use crate::resource::{Existence, Spec};
use crate::timestamp::Timestamp;

/// What holds in place of what a resource says, until a time that the host's agent judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Why, for people.
    pub reason: String,
    /// From this time on it does not hold any more.
    pub until: Timestamp,
    /// What holds until then.
    pub holds: Held,
}

/// What holds while an exception does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Nothing is asked of the thing; what it is, is only looked at.
    Waiver,
    /// Other attributes, all of them.
    Instead(Box<Variant>),
}

/// A resource as an exception wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Whether the thing is to exist.
    pub state: Existence,
    /// Its attributes.
    pub spec: Spec,
}

/// The wire form, its attributes not yet read. Without attributes it is a waiver.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionWire<A> {
    pub(super) reason: String,
    pub(super) until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<Existence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attributes: Option<A>,
}

impl Exception {
    /// The attributes that hold meanwhile; none of a waiver.
    pub fn variant(&self) -> Option<&Variant> {
        match &self.holds {
            Held::Waiver => None,
            Held::Instead(variant) => Some(variant),
        }
    }

    /// The attributes that hold meanwhile, to be completed.
    pub fn variant_mut(&mut self) -> Option<&mut Variant> {
        match &mut self.holds {
            Held::Waiver => None,
            Held::Instead(variant) => Some(variant),
        }
    }

    pub(super) fn to_wire(&self) -> ExceptionWire<&Spec> {
        let variant = self.variant();
        ExceptionWire {
            reason: self.reason.clone(),
            until: self.until,
            state: variant.map(|variant| variant.state),
            attributes: variant.map(|variant| &variant.spec),
        }
    }
}
