//! Resources of collections that a state repository declares.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::extension_name::ExtensionName;
use crate::resource::OrderClass;

/// The longest name of a plug-in, in bytes.
pub const PLUGIN_NAME_BYTES: usize = 63;
/// How deep a value may nest.
const MAX_DEPTH: usize = 16;

/// What looks at things and changes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionProvider {
    /// A plug-in of the host, by the name of its file.
    Plugin(String),
    /// A command resource of DSC v3, by its type: `Owner/Name`.
    Dsc(String),
    /// A module of Ansible, by its name: `community.general.ini_file`.
    Ansible(String),
}

/// A resource of a declared collection. It says all that the agent needs: there is no second document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionSpec {
    /// Its collection: that of its address.
    pub collection: ExtensionName,
    /// What provides it.
    pub provider: ExtensionProvider,
    /// The argument that takes the id, where the provider knows no ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_argument: Option<String>,
    /// What it comes after in its application, and before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderClass>,
    /// The attributes that are managed.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

impl ExtensionProvider {
    /// What is wrong with the name of a provider, as the end of a sentence; none where nothing is.
    pub fn fault(&self) -> Option<String> {
        let word = |text: &str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        match self {
            ExtensionProvider::Plugin(name) => {
                let fits = name.len() <= PLUGIN_NAME_BYTES && word(name, b"-_") && !name.starts_with('-');
                (!fits).then(|| format!("{name:?} is no name of a plug-in; use letters, digits, '-' and '_'"))
            }
            ExtensionProvider::Dsc(name) => {
                let fits = name.len() <= 255
                    && name
                        .split_once('/')
                        .is_some_and(|(owner, name)| owner.split('.').all(|part| word(part, b"_")) && word(name, b"_"));
                (!fits).then(|| format!("{name:?} is no type of DSC; write it as in Owner/Name"))
            }
            ExtensionProvider::Ansible(name) => {
                let whole = name.split('.').count() >= 3;
                let fits = name.len() <= 200 && whole && name.split('.').all(|part| word(part, b"_"));
                (!fits).then(|| format!("{name:?} is no module of Ansible; write it as in ansible.builtin.copy"))
            }
        }
    }
}

impl std::fmt::Display for ExtensionProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ExtensionProvider::Plugin(name) => write!(f, "the plug-in {name}"),
            ExtensionProvider::Dsc(name) => write!(f, "the DSC resource {name}"),
            ExtensionProvider::Ansible(name) => write!(f, "the Ansible module {name}"),
        }
    }
}

impl ExtensionSpec {
    /// What it is about beside its id: another provider means another thing by it.
    pub fn place(&self) -> String {
        match &self.id_argument {
            Some(argument) => format!("{} by {argument}", self.provider),
            None => self.provider.to_string(),
        }
    }

    /// What fits the types and still makes no sense, as the end of a sentence that begins with the address.
    pub fn contradiction(&self) -> Option<String> {
        if let Some(fault) = self.provider.fault() {
            return Some(format!("has a provider that cannot be: {fault}"));
        }
        if self.id_argument.is_none() && matches!(self.provider, ExtensionProvider::Ansible(_)) {
            return Some("needs an 'id_argument', for a module of Ansible knows no ids".to_owned());
        }
        let deep = self.attributes.iter().find(|(_, value)| depth_of(value) > MAX_DEPTH);
        deep.map(|(name, _)| format!("has '{name}' nested deeper than {MAX_DEPTH}"))
    }
}

fn depth_of(value: &Value) -> usize {
    let deepest = |depths: &mut dyn Iterator<Item = usize>| 1 + depths.max().unwrap_or(0);
    match value {
        Value::Array(items) => deepest(&mut items.iter().map(depth_of)),
        Value::Object(map) => deepest(&mut map.values().map(depth_of)),
        _ => 0,
    }
}
