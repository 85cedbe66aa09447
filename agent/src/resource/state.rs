//! What a thing is, in the same form for every type.

use super::{Sealed, Secret, Structured};
use litemap::LiteMap;
use muster_schema::content::BlobRef;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Attributes by name. The names are those of the schema. A thing has a few, and an agent holds thousands of such maps:
/// a node of a tree would take ten times their room.
pub type Attributes = LiteMap<Cow<'static, str>, Value>;

/// Stands for what nobody is to see.
pub(crate) const MASK: &str = "***";

/// A thing on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is not there.
    Absent,
    /// It is there, with these attributes.
    Present(Attributes),
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// It is not there, where that is told apart from being unknown.
    Nothing,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(u64),
    /// A text; modes are in octal.
    Text(Cow<'static, str>),
    /// Texts; sorted where their order does not matter.
    List(Vec<String>),
    /// What else a declared collection may hold.
    Structured(Structured),
    /// What nobody is to read in a report.
    Secret(Secret),
    /// Bytes with secrets among them.
    Sealed(Sealed),
    /// Bytes that are kept elsewhere, by digest.
    Content(BlobRef),
}

impl State {
    /// The state with these attributes.
    pub fn present(attributes: impl IntoIterator<Item = (&'static str, Value)>) -> State {
        State::Present(attributes.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }

    /// Its attributes, when it is there.
    pub fn attributes(&self) -> Option<&Attributes> {
        match self {
            State::Present(attributes) => Some(attributes),
            State::Absent => None,
        }
    }

    /// One attribute, when it is there.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.attributes()?.get(name)
    }
}

impl Value {
    /// A value of JSON. Null is: there is none.
    pub fn from_json(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Nothing,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::String(text) => Value::Text(text.into()),
            other => match other.as_u64() {
                Some(number) => Value::Number(number),
                None => Value::Structured(Structured::new(other)),
            },
        }
    }

    /// The value as JSON. Contents are told by size and digest.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Nothing => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => (*number).into(),
            Value::Text(text) => text.as_ref().into(),
            Value::List(items) => items.as_slice().into(),
            Value::Structured(value) => value.json().clone(),
            Value::Secret(secret) => secret.reveal().into(),
            Value::Sealed(_) => MASK.into(),
            Value::Content(content) => serde_json::json!({"sha256": content.sha256, "size": content.size}),
        }
    }

    /// The text, of a text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What is kept of a content.
    pub fn content(&self) -> Option<BlobRef> {
        match self {
            Value::Content(content) => Some(*content),
            Value::Sealed(sealed) => sealed.kept,
            _ => None,
        }
    }

    /// The content with secrets in it, of such a content.
    pub fn sealed(&self) -> Option<&Sealed> {
        match self {
            Value::Sealed(sealed) => Some(sealed),
            _ => None,
        }
    }

    /// The secret itself, of a secret.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Value::Secret(secret) => Some(secret.reveal()),
            _ => None,
        }
    }

    /// The items, of a list.
    pub fn list(&self) -> Option<&[String]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The number, of such a value.
    pub fn number(&self) -> Option<u64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The yes or no, of such a value.
    pub fn bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Value {
        Value::Number(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value.into())
    }
}

impl From<&'static str> for Value {
    fn from(value: &'static str) -> Value {
        Value::Text(value.into())
    }
}

impl From<Secret> for Value {
    fn from(value: Secret) -> Value {
        Value::Secret(value)
    }
}

impl From<Sealed> for Value {
    fn from(value: Sealed) -> Value {
        Value::Sealed(value)
    }
}

impl From<Vec<String>> for Value {
    fn from(mut items: Vec<String>) -> Value {
        items.sort_unstable();
        items.dedup();
        Value::List(items)
    }
}

impl From<BlobRef> for Value {
    fn from(value: BlobRef) -> Value {
        Value::Content(value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nothing => f.write_str("nothing"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(value) => value.fmt(f),
            Value::Text(text) => f.write_str(text),
            Value::List(items) => write!(f, "[{}]", items.join(", ")),
            Value::Structured(value) => value.fmt(f),
            Value::Secret(secret) => secret.fmt(f),
            Value::Sealed(sealed) => sealed.fmt(f),
            Value::Content(content) => {
                let digest = content.sha256.to_string();
                write!(f, "{} bytes ({})", content.size, digest.get(..8).unwrap_or(&digest))
            }
        }
    }
}
