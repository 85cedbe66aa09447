//! Settings, parameters and values: computed when they are first read, once.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::rendering::{Instance, MemoKey, Rendering, Stopped};
use super::scope::Root;
use crate::model::{Finding, Map, Node, NodeValue, Templates};
use crate::template::{is_template, value_of_node};

/// A parameter or value of an instance, by name. None where there is no such name, or it has no value.
pub(super) fn instance_value(rendering: &Arc<Rendering>, instance: &Arc<str>, name: &str) -> Option<Value> {
    let instance = rendering.instances.get(instance)?;
    if instance.application.parameters.contains_key(name) {
        return parameter(rendering, instance, name);
    }
    let entry = instance.application.values.as_map()?.entry(name)?;
    let computed = rendering.once(
        MemoKey::Name(instance.name.clone(), entry.key.clone()),
        &format!("{}.{name}", instance.name),
        &entry.place,
        || {
            let scope = Root::of_resources(rendering, Some(instance.name.clone()), Vec::new());
            let node = rendering.evaluate_node(&entry.value, &scope)?;
            Ok(value_of_node(&node))
        },
    );
    computed.ok()
}

/// A parameter's value: what is given, else its default, checked against its declaration.
fn parameter(rendering: &Arc<Rendering>, instance: &Instance, name: &str) -> Option<Value> {
    let (key, parameter) = instance.application.parameters.get_key_value(name)?;
    let given = instance.given.get(name);
    let (node, scope) = match (given, &parameter.default) {
        (Some(given), _) => (given, Root::of_settings(rendering, Some(instance.name.clone()))),
        (None, Some(default)) => (default, Root::of_resources(rendering, Some(instance.name.clone()), Vec::new())),
        (None, None) => {
            // That a required value is missing is told where the application is assigned.
            if parameter.required {
                rendering.record().stops += 1;
            }
            return None;
        }
    };
    let what = if given.is_some() { format!("'{name}'") } else { format!("the default of '{name}'") };
    let shown = format!("settings.{}.{name}", instance.name);
    let computed = rendering.once(MemoKey::Name(instance.name.clone(), key.clone()), &shown, &node.place, || {
        let value = rendering.evaluate_node(node, &scope)?;
        let mut faults = Vec::new();
        parameter.shape.check(&value, &what, Templates::Rendered, &mut faults);
        if faults.is_empty() {
            return Ok(value_of_node(&value));
        }
        faults.into_iter().for_each(|fault| {
            rendering.fault(fault);
        });
        Err(Stopped)
    });
    computed.ok()
}

/// Evaluates and checks all parameters of an instance, whether a template reads them or not.
pub(super) fn check_parameters(rendering: &Arc<Rendering>, instance: &Instance) {
    let known = &instance.application.parameters;
    for entry in instance.given.as_map().map_or(&[][..], Map::entries) {
        if !known.contains_key(&entry.key) && !instance.application.unread {
            let reason =
                format!("'{}' is not a parameter of the application '{}'", entry.key, instance.application.name);
            let finding = Finding::new(entry.place.clone(), reason);
            rendering.fault(match crate::model::did_you_mean(&entry.key, known.keys().map(AsRef::as_ref)) {
                Some(hint) => finding.with_hint(hint),
                None => finding,
            });
        }
    }
    for (name, declared) in known {
        let missing = declared.required && instance.given.get(name).is_none();
        // What would only follow from another fault is not told.
        if missing && !rendering.host.unread {
            let reason = format!("the parameter '{name}' of '{}' is required, and has no value", instance.name);
            rendering.fault(Finding::new(instance.place.clone(), reason));
        }
        let _ = parameter(rendering, instance, name);
    }
}

/// `settings`, or a map or list within.
pub(super) struct SettingsObject {
    rendering: Arc<Rendering>,
    node: Node,
    /// Its path, for a sentence: `settings.mail`.
    path: String,
    is_root: bool,
}

impl SettingsObject {
    pub(super) fn root(rendering: &Arc<Rendering>) -> Value {
        let (node, path) = (rendering.settings.clone(), "settings".to_owned());
        Value::from_object(SettingsObject { rendering: rendering.clone(), node, path, is_root: true })
    }

    fn child(&self, node: &Node, path: String) -> Option<Value> {
        match &node.value {
            NodeValue::Map(_) | NodeValue::List(_) => Some(Value::from_object(SettingsObject {
                rendering: self.rendering.clone(),
                node: node.clone(),
                path,
                is_root: false,
            })),
            NodeValue::String(text) if is_template(&text.text) => {
                let rendering = &self.rendering;
                let compute = || {
                    let scope = Root::of_settings(rendering, None);
                    let evaluated = rendering.evaluate_node(node, &scope)?;
                    Ok(value_of_node(&evaluated))
                };
                rendering.once(MemoKey::Setting(node.place.clone()), &path, &node.place, compute).ok()
            }
            _ => {
                self.rendering.read_document(&node.place.file);
                Some(value_of_node(node))
            }
        }
    }
}

impl fmt::Debug for SettingsObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl Object for SettingsObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match &self.node.value {
            NodeValue::List(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (&self.node.value, key.as_usize(), key.as_str()) {
            (NodeValue::List(items), Some(index), _) => {
                self.child(items.get(index)?, format!("{}[{index}]", self.path))
            }
            (NodeValue::Map(_), _, Some(name)) => self.get_value_by_str(name),
            _ => None,
        }
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if self.is_root
            && let Some((name, _)) = self.rendering.instances.get_key_value(key)
        {
            return Some(Value::from_object(InstanceSettings {
                rendering: self.rendering.clone(),
                name: name.clone(),
            }));
        }
        self.child(self.node.get(key)?, format!("{}.{key}", self.path))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.rendering.read_tree(&self.node);
        match &self.node.value {
            NodeValue::List(items) => Enumerator::Seq(items.len()),
            NodeValue::Map(map) => {
                let keys = map.entries().iter().map(|entry| Value::from(entry.key.clone()));
                Enumerator::Values(keys.collect())
            }
            _ => Enumerator::Empty,
        }
    }
}

/// `settings.<instance>`: the parameters of an application that the host has, defaults among them.
struct InstanceSettings {
    rendering: Arc<Rendering>,
    name: Arc<str>,
}

impl fmt::Debug for InstanceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "settings.{}", self.name)
    }
}

impl Object for InstanceSettings {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let instance = self.rendering.instances.get(&self.name)?;
        parameter(&self.rendering, instance, key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let Some(instance) = self.rendering.instances.get(&self.name) else { return Enumerator::Empty };
        self.rendering.read_tree(&instance.given);
        let has_value = |(name, parameter): &(&Arc<str>, &crate::model::Parameter)| {
            parameter.default.is_some() || instance.given.get(name).is_some()
        };
        let names = instance.application.parameters.iter().filter(has_value);
        Enumerator::Values(names.map(|(name, _)| Value::from(name.clone())).collect())
    }
}
