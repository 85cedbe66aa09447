//! Single settings in configuration files that belong to others.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::line::check_edited_path;
use crate::address::IdForm;
use crate::resource::{Meta, OrderClass, ResourceSpec};
use crate::secret::SecretContent;

/// How a configuration file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingsFormat {
    /// `[section]` and `key = value`.
    Ini,
    /// TOML.
    Toml,
    /// JSON.
    Json,
    /// YAML, one document, maps in block form.
    Yaml,
}

/// Where a setting stands: a text whose parts are separated by dots, or a list of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SettingKey {
    /// `log.level`
    Dotted(String),
    /// `[log, level]`, for parts that have dots of their own.
    Parts(Vec<String>),
}

/// What a setting is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// A text, a whole number, true, false, or a list or map of these.
    Plain(Value),
    /// A text with secrets in it. Its form is the map `segments` and nothing else, which is no value of a setting then.
    Secret(Box<SecretContent>),
}

/// One setting in a configuration file that belongs to somebody else. The file may not be managed by `files`.
///
/// Values are compared by what they mean, not by how they are written; what is right already is not touched. Else the
/// value alone is written anew, and comments, order and the form of everything around it stay. What is written is read
/// back before it takes the file's place: if anything but this setting would mean something else, it is `blocked`.
/// So is a file that is not well-formed, an ini key that stands twice, and YAML in whose way there are anchors or maps
/// in one line. A file that is missing is made, root:root 0644; its folder is not.
///
/// In an ini file the key is `section.key` (the part after the last dot is the key), all values are texts, and a key
/// without section stands before the first one.
///
/// ```yaml
/// settings_files:
///   docker-logs: {path: /etc/docker/daemon.json, key: log-driver, value: journald}
///   journal-size: {path: /etc/systemd/journald.conf, format: ini, key: Journal.SystemMaxUse, value: 500M}
///   old-plugin: {path: /etc/containerd/config.toml, key: [plugins, "io.containerd.x"], state: absent}
/// ```
///
/// When it leaves, the value that was found comes back, or the setting goes, and with it the maps or the section that
/// are empty then. A file that we made goes with the last thing in it. A setting that was to be absent comes back at
/// the end of its map, without the comments that stood in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsFileSpec {
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How it is written; told by the end of its name where nothing is said: `.ini`, `.toml`, `.json`, `.yaml`, `.yml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<SettingsFormat>,
    /// Where in the file, as `log.level`, or as a list of parts where one of them has a dot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<SettingKey>,
    /// The value: a text, a whole number, true or false, or a list or map of these. Secrets may stand in a text that is
    /// all of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<SettingValue>,
}

impl SettingsFileSpec {
    /// Its value, where there are secrets in it.
    pub fn secret(&self) -> Option<&SecretContent> {
        self.value.as_ref()?.secret()
    }

    /// How the file is written, if that can be told.
    pub fn format(&self) -> Option<SettingsFormat> {
        let by_name = || match self.path.as_deref()?.rsplit_once('.')?.1 {
            "ini" => Some(SettingsFormat::Ini),
            "toml" => Some(SettingsFormat::Toml),
            "json" => Some(SettingsFormat::Json),
            "yaml" | "yml" => Some(SettingsFormat::Yaml),
            _ => None,
        };
        self.format.or_else(by_name)
    }

    /// The parts of the key: of an ini file section and key.
    pub fn parts(&self) -> Vec<String> {
        match (&self.key, self.format()) {
            (None, _) => Vec::new(),
            (Some(SettingKey::Parts(parts)), _) => parts.clone(),
            (Some(SettingKey::Dotted(key)), Some(SettingsFormat::Ini)) => match key.rsplit_once('.') {
                Some((section, key)) => vec![section.to_owned(), key.to_owned()],
                None => vec![key.clone()],
            },
            (Some(SettingKey::Dotted(key)), _) => key.split('.').map(str::to_owned).collect(),
        }
    }
}

impl SettingValue {
    /// The value, where all of it is known.
    pub fn plain(&self) -> Option<&Value> {
        match self {
            SettingValue::Plain(value) => Some(value),
            SettingValue::Secret(_) => None,
        }
    }

    /// The pieces, where there are secrets among them.
    pub fn secret(&self) -> Option<&SecretContent> {
        match self {
            SettingValue::Plain(_) => None,
            SettingValue::Secret(content) => Some(content),
        }
    }

    /// The pieces, to be read.
    pub fn secret_mut(&mut self) -> Option<&mut SecretContent> {
        match self {
            SettingValue::Plain(_) => None,
            SettingValue::Secret(content) => Some(content),
        }
    }
}

impl ResourceSpec for SettingsFileSpec {
    const ID: IdForm = IdForm::Free;
    const CLASS: Option<OrderClass> = Some(OrderClass::Paths);
    const EDITS_FILE: bool = true;
    const SECRET_TEXTS: &'static [&'static str] = &["value"];

    fn set_secret_content(&mut self, _: &str, content: SecretContent) {
        self.value = Some(content.into());
    }

    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        self.value.iter().filter_map(|value| Some(("value".into(), value.secret()?))).collect()
    }

    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        self.value.iter_mut().filter_map(SettingValue::secret_mut).collect()
    }

    fn edited_path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    fn place(&self) -> Option<String> {
        let mut place = self.parts();
        place.insert(0, self.path.clone().unwrap_or_default());
        Some(place.join("\n"))
    }

    fn contradiction(&self, _: &Meta) -> Option<String> {
        if let Some(reason) = check_edited_path(&self.path) {
            return Some(reason);
        }
        let Some(format) = self.format() else {
            return Some("needs a 'format', because the name of its file does not tell".to_owned());
        };
        let parts = self.parts();
        if parts.is_empty() || parts.iter().any(|part| part.is_empty() || part.contains(char::is_control)) {
            return Some("needs a 'key' whose parts are not empty".to_owned());
        }
        let value = match &self.value {
            None => return Some("needs a 'value'".to_owned()),
            Some(SettingValue::Plain(value)) => value,
            Some(SettingValue::Secret(content)) => {
                let too_deep = format == SettingsFormat::Ini && parts.len() > 2;
                return content.fault().or_else(|| too_deep.then(too_many_parts));
            }
        };
        if format != SettingsFormat::Ini {
            return None;
        }
        let one_line = |text: &str| !text.contains(['\n', '\r']) && text.trim() == text;
        match value {
            _ if parts.len() > 2 => Some(too_many_parts()),
            Value::Array(_) | Value::Object(_) => {
                Some("has a list or map in 'value', which no ini file holds".to_owned())
            }
            Value::String(text) if !one_line(text) => {
                Some("has a 'value' that an ini file does not hold: line feeds, or spaces at an end".to_owned())
            }
            _ => None,
        }
    }
}

fn too_many_parts() -> String {
    "has more parts in 'key' than section and key".to_owned()
}

impl From<SecretContent> for SettingValue {
    fn from(content: SecretContent) -> SettingValue {
        SettingValue::Secret(Box::new(content))
    }
}

impl Serialize for SettingValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            SettingValue::Plain(value) => value.serialize(serializer),
            SettingValue::Secret(content) => content.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SettingValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if !is_exact(&value) {
            return Err(serde::de::Error::custom("null and numbers with a fraction are no settings"));
        }
        if let Value::Object(map) = &value
            && map.len() == 1
            && map.contains_key("segments")
            && let Ok(content) = serde_json::from_value::<SecretContent>(value.clone())
        {
            return Ok(content.into());
        }
        Ok(SettingValue::Plain(value))
    }
}

fn is_exact(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Number(number) => !number.is_f64(),
        Value::Bool(_) | Value::String(_) => true,
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(map) => map.values().all(is_exact),
    }
}

impl JsonSchema for SettingValue {
    fn schema_name() -> Cow<'static, str> {
        "SettingValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "integer", "boolean", "array", "object"]})
    }
}
