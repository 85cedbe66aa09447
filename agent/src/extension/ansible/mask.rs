//! Keeps secrets out of what is shown.

use serde_json::{Map, Value};

/// What modules put in the place of values that they know to be secret.
const PLACEHOLDER: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
const HIDDEN: &str = "…";
/// Shorter values stand in too many words by chance.
const SHORTEST: usize = 4;

/// The values of arguments that must not be shown. A module hides what it knows to be secret itself; this adds what its
/// name gives away, by the rule with which ansible-core warns of such arguments.
#[derive(Debug, Clone, Default)]
pub struct Mask(Vec<String>);

impl Mask {
    /// Of these arguments, what has the name of a secret, at any depth.
    pub fn of(arguments: &Map<String, Value>) -> Mask {
        let mut found = Vec::new();
        arguments.iter().for_each(|(name, value)| collect(value, is_secret_name(name), &mut found));
        // The longest first, so that no rest of it stays.
        found.sort_by_key(|value: &String| std::cmp::Reverse(value.len()));
        Mask(found)
    }

    /// The text with dots where secrets stood.
    pub fn text(&self, text: &str) -> String {
        let text = text.replace(PLACEHOLDER, HIDDEN);
        self.0.iter().fold(text, |text, secret| text.replace(secret.as_str(), HIDDEN))
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let pass =
        name.match_indices("pass").any(|(at, _)| !name.get(at..).is_some_and(|rest| rest.starts_with("passive")));
    pass || ["secret", "token", "cryptkey"].iter().any(|word| name.contains(word))
}

fn collect(value: &Value, secret: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if secret && text.len() >= SHORTEST => {
            found.push(text.clone());
            // A line of it may stand alone in a comparison.
            found.extend(text.lines().filter(|line| line.len() >= SHORTEST).map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, secret, found)),
        Value::Object(items) => {
            items.iter().for_each(|(name, item)| collect(item, secret || is_secret_name(name), found));
        }
        _ => {}
    }
}
