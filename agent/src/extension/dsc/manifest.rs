//! Manifests of command resources, read strictly.
//!
//! The format is that of Microsoft DSC v3: `lib/dsc-lib/src/dscresources/resource_manifest.rs` in PowerShell/DSC and the
//! "DSC Resource manifest" pages of its documentation. What would change the meaning of a call and is not known here makes the
//! manifest unusable; what only informs people is read over.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Manifests larger than this are not read, in bytes.
pub(super) const MAX_MANIFEST: u64 = 1 << 20;
/// Where schemas of manifests stand; the third version follows.
const SCHEMAS: [&str; 2] =
    ["https://aka.ms/dsc/schemas/v3", "https://raw.githubusercontent.com/PowerShell/DSC/main/schemas/v3"];

/// How a kind of thing is looked at and changed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(rename = "$schema")]
    schema_uri: String,
    /// Its name, `Owner/Name`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Its version.
    pub version: String,
    kind: Option<String>,
    condition: Option<String>,
    adapter: Option<Value>,
    /// How it is looked at.
    pub get: Option<Method>,
    /// How it says itself whether it is right.
    pub test: Option<Method>,
    /// How it is changed.
    pub set: Option<Method>,
    /// How it is removed.
    pub delete: Option<Method>,
    /// What its exit codes mean.
    #[serde(default)]
    pub exit_codes: BTreeMap<String, String>,
    schema: Option<SchemaSource>,
    // What follows is for people, or for calls that are not made here.
    #[serde(rename = "description")]
    _description: Option<Value>,
    #[serde(rename = "tags")]
    _tags: Option<Value>,
    #[serde(rename = "deprecationMessage")]
    _deprecation_message: Option<Value>,
    #[serde(rename = "metadata")]
    _metadata: Option<Value>,
    #[serde(rename = "whatIf")]
    _what_if: Option<Value>,
    #[serde(rename = "export")]
    _export: Option<Value>,
    #[serde(rename = "resolve")]
    _resolve: Option<Value>,
    #[serde(rename = "validate")]
    _validate: Option<Value>,
}

/// A call of a program.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Method {
    /// The program.
    pub executable: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<Argument>,
    /// How it is given the state.
    pub input: Option<Input>,
    /// What it prints.
    #[serde(rename = "return")]
    pub returns: Option<Returned>,
    /// Whether `_exist: false` may be given to it.
    #[serde(default)]
    pub handles_exist: bool,
    /// As whom it is to run.
    pub require_security_context: Option<SecurityContext>,
    // The state was looked at before it is changed, whether or not the program looks again.
    #[serde(rename = "implementsPretest")]
    _implements_pretest: Option<bool>,
    #[serde(rename = "whatIfReturns")]
    _what_if_returns: Option<Value>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Argument {
    /// Itself.
    Plain(String),
    /// A name, and the state as JSON after it.
    Json(JsonArgument),
    /// A name, and the type after it.
    Type(TypeArgument),
    /// A name, and the path of the manifest after it.
    Path(PathArgument),
    /// Given when nothing is to be changed; never here.
    WhatIf(WhatIfArgument),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JsonArgument {
    pub json_input_arg: String,
    #[serde(rename = "mandatory")]
    _mandatory: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TypeArgument {
    pub resource_type_arg: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PathArgument {
    pub resource_path_arg: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WhatIfArgument {
    #[serde(rename = "whatIfArg")]
    _what_if_arg: String,
}

/// How a program is given the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Input {
    /// As JSON on standard input.
    Stdin,
    /// Each property as a variable.
    Env,
}

/// What a program prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Returned {
    /// The state.
    State,
    /// The state, and on the next line the names of what differs.
    StateAndDiff,
}

/// As whom a program is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum SecurityContext {
    /// Whoever calls it.
    Current,
    /// Root.
    Elevated,
    /// Anyone but root.
    Restricted,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum SchemaSource {
    Embedded(Map<String, Value>),
    Command(Value),
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Saying why it cannot be used.
    pub(super) fn load(bytes: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match manifest.fault() {
            None => Ok(manifest),
            Some(fault) => Err(fault),
        }
    }

    fn fault(&self) -> Option<String> {
        let is_third = |start: &&str| {
            let rest = self.schema_uri.strip_prefix(*start);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('.'))
        };
        if !SCHEMAS.iter().any(is_third) {
            return Some(format!("its $schema {:?} is not of the third version of DSC", self.schema_uri));
        }
        if let Some(kind) = self.kind.as_deref().filter(|kind| *kind != "resource") {
            return Some(format!("it is of the kind {kind:?}, and only resources are understood"));
        }
        if self.adapter.is_some() {
            return Some("it is an adapter, and only resources are understood".to_owned());
        }
        if self.condition.is_some() {
            return Some("it holds under a condition, and conditions of DSC are not understood".to_owned());
        }
        if self.get.is_none() && self.test.as_ref().is_none_or(|test| test.returns.is_none()) {
            return Some("neither get nor test says how it is".to_owned());
        }
        let methods = [("get", &self.get), ("test", &self.test), ("set", &self.set), ("delete", &self.delete)];
        methods.into_iter().find_map(|(name, method)| {
            let method = method.as_ref()?;
            let fault = method.fault(matches!(name, "test" | "set" | "delete"))?;
            Some(format!("{name}: {fault}"))
        })
    }

    /// A property that its schema, where the manifest holds one, does not take, or misses, and why.
    pub(super) fn check(&self, desired: &Map<String, Value>) -> Option<String> {
        let Some(SchemaSource::Embedded(schema)) = &self.schema else { return None };
        let properties = schema.get("properties").and_then(Value::as_object);
        for name in desired.keys() {
            let known = properties.and_then(|properties| properties.get(name));
            if known.is_none() && schema.get("additionalProperties") == Some(&Value::Bool(false)) {
                return Some(format!("{} knows no property '{name}'", self.resource_type));
            }
            if known.is_some_and(is_read_only) {
                return Some(format!("the property '{name}' of {} can only be read", self.resource_type));
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let missing = required.filter_map(Value::as_str).find(|name| !desired.contains_key(*name));
        missing.map(|name| format!("{} needs the property '{name}'", self.resource_type))
    }

    /// Whether a property can only be read.
    pub(super) fn is_read_only(&self, name: &str) -> bool {
        let Some(SchemaSource::Embedded(schema)) = &self.schema else { return false };
        schema.get("properties").and_then(|properties| properties.get(name)).is_some_and(is_read_only)
    }

    /// Whether things of it can be removed.
    pub(super) fn can_remove(&self) -> bool {
        self.delete.is_some() || self.set.as_ref().is_some_and(|set| set.handles_exist)
    }
}

fn is_read_only(property: &Value) -> bool {
    property.get("readOnly") == Some(&Value::Bool(true))
}

impl Method {
    fn fault(&self, needs_input: bool) -> Option<String> {
        let json = self.args.iter().filter(|argument| matches!(argument, Argument::Json(_))).count();
        if json > 1 {
            return Some("the state is an argument twice".to_owned());
        }
        if needs_input && json == 0 && self.input.is_none() {
            return Some("nothing says how it is given the state".to_owned());
        }
        let path = self.executable.as_str();
        let climbs = path.is_empty() || path.contains('\0') || path.split('/').any(|part| part == "..");
        climbs.then(|| format!("{path:?} is no program that can be run"))
    }
}
