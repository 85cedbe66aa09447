//! Single settings in configuration files of others.

use super::edited_file::{edit_file, edited_path, observe_part};
use super::listing::{self, Listing};
use super::{Change, Hands, ResourceError, ResourceType, State, Value, View, Wanted, change};
use crate::host::{HostPath, Scope};
use crate::settings::{canonical, find_setting, set_setting};
use muster_schema::resource::{Existence, SettingsFileSpec, SettingsFormat};

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
        let value = match existence {
            Existence::Absent => Some(Value::Nothing),
            Existence::Present | Existence::Latest => self.value.as_ref().map(|value| text(value.get()).into()),
        };
        Wanted::default().with(VALUE, value)
    }

    fn observe(&self, _: &str, view: &View<'_>) -> Result<State, ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        observe_part(VALUE, &path, view, |text| {
            let found = find_setting(format_of(self)?, text, &self.parts()).map_err(|error| blocked(&path, &error))?;
            Ok(found.map(|value| canonical(&value).into()))
        })
    }

    fn diff(&self, wanted: &Wanted, observed: &State) -> Result<Option<Change>, ResourceError> {
        Ok(change::diff_part(VALUE, wanted, observed))
    }

    fn apply(&self, _: &str, change: &Change, hands: &Hands<'_>) -> Result<(), ResourceError> {
        let path = edited_path(self.path.as_deref())?;
        let value = change.after(VALUE).and_then(Value::text).map(serde_json::from_str).transpose();
        let value: Option<serde_json::Value> = value.map_err(|error| ResourceError::Failed(error.to_string()))?;
        edit_file(&path, change.removes(), hands, |text| {
            set_setting(format_of(self)?, text, &self.parts(), value.as_ref()).map_err(|error| blocked(&path, &error))
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

fn format_of(spec: &SettingsFileSpec) -> Result<SettingsFormat, ResourceError> {
    spec.format().ok_or_else(|| ResourceError::Failed("needs a 'format'".to_owned()))
}

fn blocked(path: &HostPath, error: &crate::settings::SettingsError) -> ResourceError {
    ResourceError::Blocked(format!("{path} {error}"))
}
