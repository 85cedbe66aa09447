//! One setting in the text of a configuration file: finding it, and writing it so that nothing else changes. Pure.

mod ini;
mod json;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

use muster_schema::resource::SettingsFormat;
use serde_json::{Map, Value};

/// Why a setting is not read or written: the end of a sentence that begins with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

impl SettingsError {
    fn new(reason: impl ToString) -> SettingsError {
        SettingsError(reason.to_string())
    }
}

/// The value under `key`, if there is one.
///
/// # Errors
/// When the text is not of this format, or holds the key more than once.
pub fn find_setting(format: SettingsFormat, text: &str, key: &[String]) -> Result<Option<Value>, SettingsError> {
    Ok(get(&load(format, text)?, key).cloned())
}

/// The text with `value` under `key`, or without the key where that is `None`.
///
/// # Errors
/// As [`find_setting`], or when the value cannot be written without a change of something else.
pub fn set_setting(
    format: SettingsFormat,
    text: &str,
    key: &[String],
    value: Option<&Value>,
) -> Result<String, SettingsError> {
    let mut expected = load(format, text)?;
    put(&mut expected, key, value)?;
    let edited = match format {
        SettingsFormat::Ini => ini::edit(text, key, value)?,
        SettingsFormat::Toml => toml::edit(text, key, value)?,
        SettingsFormat::Json => json::edit(text, key, value)?,
        SettingsFormat::Yaml => yaml::edit(text, key, value)?,
    };
    // The editors know less than the readers: what they did not understand is not written.
    if load(format, &edited).ok().as_ref() != Some(&expected) {
        return Err(SettingsError::new("is written in a way in which this setting cannot be changed alone"));
    }
    Ok(edited)
}

/// A value in one form, so that equal ones are equal texts.
pub fn canonical(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut entries: Vec<(String, Value)> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(entries.into_iter().collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}

fn load(format: SettingsFormat, text: &str) -> Result<Value, SettingsError> {
    let loaded = match format {
        _ if text.trim().is_empty() => Value::Object(Map::new()),
        SettingsFormat::Ini => ini::load(text)?,
        SettingsFormat::Toml => toml::load(text)?,
        SettingsFormat::Json => serde_json::from_str(text).map_err(|error| not_well_formed(&error))?,
        SettingsFormat::Yaml => yaml::load(text)?,
    };
    match loaded {
        Value::Object(_) => Ok(loaded),
        _ => Err(SettingsError::new("holds no map")),
    }
}

fn not_well_formed(error: &dyn std::fmt::Display) -> SettingsError {
    let text = error.to_string();
    SettingsError::new(format_args!("is not well-formed: {}", text.lines().next().unwrap_or_default()))
}

fn get<'v>(value: &'v Value, key: &[String]) -> Option<&'v Value> {
    key.iter().try_fold(value, |value, part| value.as_object()?.get(part))
}

/// The same change on what is meant. Maps that are empty after a removal go too.
fn put(value: &mut Value, key: &[String], new: Option<&Value>) -> Result<(), SettingsError> {
    let no_map = |name: &str| SettingsError::new(format_args!("has something else than a map in '{name}'"));
    let (Some((first, rest)), Some(map)) = (key.split_first(), value.as_object_mut()) else {
        return Err(no_map("the key"));
    };
    match (rest.is_empty(), new) {
        (true, Some(new)) => drop(map.insert(first.clone(), new.clone())),
        (true, None) => drop(map.shift_remove(first)),
        (false, Some(_)) => {
            let inner = map.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if inner.is_null() {
                *inner = Value::Object(Map::new());
            }
            if !inner.is_object() {
                return Err(no_map(first));
            }
            put(inner, rest, new)?;
        }
        (false, None) => {
            let Some(inner) = map.get_mut(first).filter(|inner| get(inner, rest).is_some()) else { return Ok(()) };
            put(inner, rest, None)?;
            if inner.as_object().is_some_and(Map::is_empty) {
                map.shift_remove(first);
            }
        }
    }
    Ok(())
}
