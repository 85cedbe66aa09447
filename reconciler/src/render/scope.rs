//! The names that templates see.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr};

use super::host_object::{FactsObject, HostObject, HostsFunction};
use super::rendering::Rendering;
use super::secret::SecretFunction;
use super::settings::{SettingsObject, instance_value};

/// The outermost scope of a template.
pub(super) struct Root {
    pub(super) rendering: Arc<Rendering>,
    /// The application instance whose parameters and values are in scope.
    pub(super) instance: Option<Arc<str>>,
    /// Whether parameters and values of the instance are in scope, or just its name.
    pub(super) sees_parameters: bool,
    /// `key`, `item` and what `vars` gives.
    pub(super) locals: Vec<(Arc<str>, Value)>,
}

const GLOBAL: [&str; 5] = ["facts", "host", "hosts", "secret", "settings"];

impl Root {
    /// The scope of values in `settings`.
    pub(super) fn of_settings(rendering: &Arc<Rendering>, instance: Option<Arc<str>>) -> Value {
        Value::from_object(Root { rendering: rendering.clone(), instance, sees_parameters: false, locals: Vec::new() })
    }

    /// The scope of resources: of an application instance, or of a layer.
    pub(super) fn of_resources(
        rendering: &Arc<Rendering>,
        instance: Option<Arc<str>>,
        locals: Vec<(Arc<str>, Value)>,
    ) -> Value {
        Value::from_object(Root { rendering: rendering.clone(), instance, sees_parameters: true, locals })
    }

    /// All names in scope.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = GLOBAL.iter().map(|name| Arc::from(*name)).collect();
        names.extend(self.locals.iter().map(|(name, _)| name.clone()));
        if let Some(instance) = self.instance.as_ref().and_then(|name| self.rendering.instances.get(name)) {
            names.push(Arc::from("application"));
            if self.sees_parameters {
                names.extend(instance.application.parameters.keys().cloned());
                let values = instance.application.values.as_map();
                names.extend(values.into_iter().flat_map(|map| map.entries()).map(|entry| entry.key.clone()));
            }
        }
        names
    }

    fn lookup(&self, name: &str) -> Option<Value> {
        if let Some((_, value)) = self.locals.iter().rev().find(|(local, _)| local.as_ref() == name) {
            return Some(value.clone());
        }
        let rendering = &self.rendering;
        match name {
            "settings" => Some(SettingsObject::root(rendering)),
            "facts" => Some(FactsObject::value(rendering, rendering.id())),
            "host" => Some(HostObject::value(rendering, rendering.id())),
            "hosts" => Some(Value::from_object(HostsFunction(rendering.clone()))),
            "secret" => Some(Value::from_object(SecretFunction)),
            "application" => self.instance.clone().map(Value::from),
            _ => {
                let instance = self.instance.as_ref().filter(|_| self.sees_parameters)?;
                instance_value(rendering, instance, name)
            }
        }
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the names in scope")
    }
}

impl Object for Root {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lookup(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.lookup(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn custom_cmp(self: &Arc<Self>, _: &DynObject) -> Option<std::cmp::Ordering> {
        None
    }
}
