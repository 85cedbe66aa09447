//! Hosts and their facts, as templates see them. Every read is noted.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use muster_schema::HostId;
use muster_schema::document::Selector;
use muster_schema::facts::FACT_NAMES;

use super::facts::value_of_fact;
use super::record::Missing;
use super::rendering::Rendering;
use crate::model::did_you_mean;

/// How many silent hosts a wait names.
const MAX_NAMED: usize = 10;

/// Reads a fact: notes it, and that it is missing where the host has not reported.
fn read_fact(rendering: &Arc<Rendering>, host: &HostId, name: &str) -> Option<Value> {
    let Some(known) = FACT_NAMES.into_iter().find(|known| *known == name) else {
        let hint = did_you_mean(name, FACT_NAMES);
        let reason = format!("there is no fact '{name}'");
        rendering.record().object(reason, hint.or_else(|| Some(format!("known are {}", FACT_NAMES.join(", ")))));
        return None;
    };
    if FACT_NAMES.iter().any(|other| other.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'))) {
        // A group is always there; what is in it is read on its own.
        let group = FactsObject { rendering: rendering.clone(), host: host.clone(), group: Some(known) };
        return Some(Value::from_object(group));
    }
    let mut record = rendering.record();
    record.reads.note_fact(host, known, &rendering.model, &rendering.facts);
    record.taint.facts = true;
    match rendering.facts.of(host) {
        Some(facts) => value_of_fact(facts, known),
        None => {
            record.miss(Missing::Fact { host: host.clone(), fact: Some(known) });
            None
        }
    }
}

/// `facts`, or a group of facts like `facts.os`.
pub(super) struct FactsObject {
    rendering: Arc<Rendering>,
    host: HostId,
    group: Option<&'static str>,
}

impl FactsObject {
    pub(super) fn value(rendering: &Arc<Rendering>, host: &HostId) -> Value {
        Value::from_object(FactsObject { rendering: rendering.clone(), host: host.clone(), group: None })
    }
}

impl fmt::Debug for FactsObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "facts of {}", self.host)
    }
}

impl Object for FactsObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.group {
            Some(group) => read_fact(&self.rendering, &self.host, &format!("{group}.{key}")),
            None => read_fact(&self.rendering, &self.host, key),
        }
    }
}

/// `host`, or one of `hosts()`: id, environment, labels, and its facts by name.
pub(super) struct HostObject {
    rendering: Arc<Rendering>,
    host: HostId,
}

impl HostObject {
    pub(super) fn value(rendering: &Arc<Rendering>, host: &HostId) -> Value {
        Value::from_object(HostObject { rendering: rendering.clone(), host: host.clone() })
    }

    fn note_labels(&self) {
        let rendering = &self.rendering;
        if self.host != rendering.host.id {
            rendering.record().reads.note_labels(&self.host, &rendering.model, &rendering.facts);
        }
    }
}

impl fmt::Debug for HostObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}", self.host)
    }
}

impl Object for HostObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let host = self.rendering.model.host(&self.host)?;
        match key {
            "id" => Some(Value::from(host.id.as_str())),
            "environment" => {
                self.note_labels();
                Some(Value::from(host.environment.clone()))
            }
            "labels" => {
                self.note_labels();
                let labels = host.labels.iter();
                Some(Value::from_pairs(labels.map(|(name, value)| (name.clone(), Value::from(value.clone())))))
            }
            "facts" => Some(FactsObject::value(&self.rendering, &self.host)),
            fact if FACT_NAMES.contains(&fact) => read_fact(&self.rendering, &self.host, fact),
            other => {
                let known = FACT_NAMES.into_iter().chain(["id", "environment", "labels", "facts"]);
                let reason = format!("a host has no '{other}'");
                self.rendering.record().object(reason, did_you_mean(other, known));
                None
            }
        }
    }
}

/// `hosts(SELECTOR, all=false, environment=OWN)`.
pub(super) struct HostsFunction(pub(super) Arc<Rendering>);

impl fmt::Debug for HostsFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the function hosts()")
    }
}

impl Object for HostsFunction {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (text, options): (Option<&str>, Kwargs) = from_args(args)?;
        let all: bool = options.get::<Option<bool>>("all")?.unwrap_or(false);
        let environment: Option<&str> = options.get("environment")?;
        options.assert_all_used()?;
        let invalid = |reason: String| Error::new(ErrorKind::InvalidOperation, reason);
        let text = text.unwrap_or("*");
        let selector: Selector = text.parse().map_err(|error| invalid(format!("hosts(): {error}")))?;
        let rendering = &self.0;
        let environment = match environment {
            None => Some(rendering.host.environment.clone()),
            Some("*") => None,
            Some(name) => {
                rendering.record().reads.note_environment(name, &rendering.model, &rendering.facts);
                if !rendering.model.environments().any(|known| known.as_ref() == name) {
                    return Err(invalid(format!("hosts(): there is no environment '{name}'")));
                }
                Some(Arc::from(name))
            }
        };
        let selected = rendering.model.select(environment.as_deref(), &selector);
        let mut record = rendering.record();
        record.reads.note_selection(environment, text, all, &rendering.model, &rendering.facts);
        if all {
            return Ok(selected.iter().map(|host| HostObject::value(rendering, host)).collect());
        }
        record.taint.facts = true;
        let reported: Vec<&HostId> = selected.iter().filter(|host| rendering.facts.has_reported(host)).collect();
        if reported.is_empty() {
            for host in selected.iter().take(MAX_NAMED) {
                record.miss(Missing::Fact { host: host.clone(), fact: None });
            }
        }
        Ok(reported.into_iter().map(|host| HostObject::value(rendering, host)).collect())
    }
}
