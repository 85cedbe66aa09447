//! Attributes that are a text, and may have secrets in it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::SecretContent;

/// A text: as it is, or in pieces with secrets among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// This text.
    Plain(String),
    /// Pieces.
    Secret(Box<SecretContent>),
}

impl Text {
    /// The text, where all of it is known.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Text::Plain(text) => Some(text),
            Text::Secret(_) => None,
        }
    }

    /// The pieces, where there are secrets among them.
    pub fn secret(&self) -> Option<&SecretContent> {
        match self {
            Text::Plain(_) => None,
            Text::Secret(content) => Some(content),
        }
    }

    /// The pieces, to be read.
    pub fn secret_mut(&mut self) -> Option<&mut SecretContent> {
        match self {
            Text::Plain(_) => None,
            Text::Secret(content) => Some(content),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::Plain(text)
    }
}

impl From<SecretContent> for Text {
    fn from(content: SecretContent) -> Text {
        Text::Secret(Box::new(content))
    }
}

/// In documents it is a string; a template makes pieces of it.
impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
