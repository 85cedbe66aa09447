//! Single settings in configuration files of others.

use super::edited_file::{edit_file, edited_path, observe_part, text_in};
use super::listing::{self, Listing};
use super::sealed_text::{check_read, keep_sealed_text, open_text, sealed, wanted_secret};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::settings::{canonical, find_setting, set_setting};
use crate::vault::Vault;
use muster_schema::resource::{Existence, SettingValue, SettingsFileSpec, SettingsFormat};
use std::borrow::Cow;
use zeroize::Zeroizing;

const VALUE: &str = "value";

impl ResourceType for Box<SettingsFileSpec> {
    fn wanted(&self, existence: Existence, _: Scope) -> Wanted {
        let text = |value: &serde_json::Value| match (self.format(), value) {
            // All values of an ini file are texts.
            (Some(SettingsFormat::Ini), serde_json::Value::Bool(_) | serde_json::Value::Number(_)) => {
                canonical(&value.to_string().into())
            }
            _ => canonical(value),
        };
        let value = match (existence, &self.value) {
            (Existence::Absent, _) => Some(Value::Nothing),
            (_, None) => None,
            (_, Some(SettingValue::Plain(value))) => Some(text(value).into()),
            (_, Some(SettingValue::Secret(content))) => wanted_secret(content),
        };
        Wanted::default().with(VALUE, value)
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        observe_part(VALUE, &path, view, |text| {
            let Some(found) = find(self, &path, text)? else { return Ok(None) };
            match self.secret() {
                Some(_) => sealed(to_text(&found).as_bytes(), view).map(Some),
                None => Ok(Some(canonical(&found).into())),
            }
        })
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        check_read(self.secret(), VALUE, wanted)?;
        Ok(change::diff_part(VALUE, wanted, observed))
    }

    fn keep(&self, _: &str, change: &Change, view: &View<'_>, vault: &Vault) -> Result<State, ResourceError> {
        let mut before = change.before.clone();
        let State::Present(attributes) = &mut before else { return Ok(before) };
        if attributes.get(VALUE).and_then(Value::sealed).is_some() {
            let path = edited_path(self.path.as_deref())?;
            let text = text_in(&path, view)?;
            let found = find(self, &path, text.as_deref().unwrap_or_default())?;
            let kept = found.map(|found| keep_sealed_text(to_text(&found).as_bytes(), view, vault)).transpose()?;
            attributes.insert(Cow::Borrowed(VALUE), kept.unwrap_or(Value::Nothing));
        }
        Ok(before)
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        let value = match change.after(VALUE) {
            Some(sealed @ Value::Sealed(_)) => {
                let text = open_text(sealed, hands)?;
                let text = text.as_ref().map_or("", |text| text.as_str());
                if hands.validate {
                    check_secret_value(self, text)?;
                }
                Some(of_text(text)?)
            }
            value => value.and_then(Value::text).map(of_json).transpose()?,
        };
        edit_file(&path, change.removes(), self.secret().is_some(), hands, |text| {
            let written = set_setting(format_of(self)?, text, &self.parts(), value.as_ref());
            written.map_err(|error| blocked(self, &path, &error))
        })
    }

    fn in_sandbox(&self) -> bool {
        true
    }

    fn watched_paths(&self, _: &str) -> Vec<HostPath> {
        edited_path(self.path.as_deref()).into_iter().collect()
    }

    fn listing(&self) -> Listing {
        listing::PART_OF_FILE
    }
}

/// The value that is meant.
fn find(spec: &SettingsFileSpec, path: &HostPath, text: &str) -> Result<Option<serde_json::Value>, ResourceError> {
    find_setting(format_of(spec)?, text, &spec.parts()).map_err(|error| blocked(spec, path, &error))
}

/// What a value that is no text begins with, where it is kept beside texts.
const JSON: &str = "\0json:";

/// A value of a file as a secret is: a text is that text.
fn to_text(value: &serde_json::Value) -> Zeroizing<String> {
    Zeroizing::new(match value.as_str() {
        Some(text) => text.to_owned(),
        None => format!("{JSON}{}", canonical(value)),
    })
}

fn of_text(text: &str) -> Result<serde_json::Value, ResourceError> {
    text.strip_prefix(JSON).map_or_else(|| Ok(text.into()), of_json)
}

fn of_json(text: &str) -> Result<serde_json::Value, ResourceError> {
    // The error tells a place in the text, and not what is there.
    serde_json::from_str(text).map_err(|error| ResourceError::Failed(error.to_string()))
}

/// What is told of a plain value when it is rendered.
fn check_secret_value(spec: &SettingsFileSpec, text: &str) -> Result<(), ResourceError> {
    let one_line = !text.contains(['\n', '\r']) && text.trim() == text;
    let reason = match spec.format() {
        _ if text.contains('\0') => "its value has a NUL with the secrets in, which is in no text",
        Some(SettingsFormat::Ini) if !one_line => {
            "with its secrets in, its value has line feeds, or spaces at an end, which an ini file does not hold"
        }
        _ => return Ok(()),
    };
    Err(ResourceError::Blocked(reason.to_owned()))
}

fn format_of(spec: &SettingsFileSpec) -> Result<SettingsFormat, ResourceError> {
    spec.format().ok_or_else(|| ResourceError::Failed("needs a 'format'".to_owned()))
}

fn blocked(spec: &SettingsFileSpec, path: &HostPath, error: &crate::settings::SettingsError) -> ResourceError {
    ResourceError::Blocked(match spec.secret() {
        Some(_) => format!("{path} is not well-formed; where, might tell its secrets, and is not said"),
        None => format!("{path} {error}"),
    })
}
