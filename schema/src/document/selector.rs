//! Selectors: which hosts, by declared labels.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

#[cfg(test)]
mod tests;

/// Terms that all must hold: `role=web,tier!=test`. A label alone (`role`) must
/// be there, `!role` must not; `*` selects every host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Equals(String, String),
    Differs(String, String),
    Has(String),
    Lacks(String),
}

/// The text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSelector {
    /// Nothing is selected by nothing.
    #[error("a selector must not be empty; '*' selects every host")]
    Empty,
    /// A term is none of the forms.
    #[error("{0:?} is not a term of a selector; write label=value, label!=value, label or !label")]
    BadTerm(String),
}

impl Selector {
    /// Whether a host with these labels is selected. A label that is missing differs from every value.
    pub fn selects<K, V>(&self, labels: &BTreeMap<K, V>) -> bool
    where
        K: Ord + std::borrow::Borrow<str>,
        V: AsRef<str>,
    {
        let value = |label: &str| labels.get(label).map(AsRef::as_ref);
        self.terms.iter().all(|term| match term {
            Term::Equals(label, wanted) => value(label) == Some(wanted),
            Term::Differs(label, unwanted) => value(label) != Some(unwanted),
            Term::Has(label) => value(label).is_some(),
            Term::Lacks(label) => value(label).is_none(),
        })
    }
}

fn is_word(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    !text.is_empty() && text.chars().all(allowed)
}

impl FromStr for Term {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (label, term) = if let Some((label, value)) = text.split_once("!=") {
            let (label, value) = (label.trim(), value.trim());
            (label, Term::Differs(label.to_owned(), value.to_owned()))
        } else if let Some((label, value)) = text.split_once('=') {
            let (label, value) = (label.trim(), value.trim());
            (label, Term::Equals(label.to_owned(), value.to_owned()))
        } else if let Some(label) = text.strip_prefix('!') {
            (label.trim(), Term::Lacks(label.trim().to_owned()))
        } else {
            (text.trim(), Term::Has(text.trim().to_owned()))
        };
        let value_is_word = match &term {
            Term::Equals(_, value) | Term::Differs(_, value) => is_word(value),
            Term::Has(_) | Term::Lacks(_) => true,
        };
        if is_word(label) && value_is_word {
            Ok(term)
        } else {
            Err(BadSelector::BadTerm(text.chars().take(80).collect()))
        }
    }
}

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "" => Err(BadSelector::Empty),
            "*" => Ok(Selector { terms: Vec::new() }),
            text => Ok(Selector { terms: text.split(',').map(|term| term.trim().parse()).collect::<Result<_, _>>()? }),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.terms.is_empty() {
            return f.write_str("*");
        }
        for (index, term) in self.terms.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match term {
                Term::Equals(label, value) => write!(f, "{comma}{label}={value}")?,
                Term::Differs(label, value) => write!(f, "{comma}{label}!={value}")?,
                Term::Has(label) => write!(f, "{comma}{label}")?,
                Term::Lacks(label) => write!(f, "{comma}!{label}")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text::deserialize(deserializer)
    }
}

impl JsonSchema for Selector {
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "Hosts by label: role=web,tier!=test; * for all"
        })
    }
}
