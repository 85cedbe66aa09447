//! One host's render while it runs: its settings, and the evaluation of templates.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::Value;
use muster_schema::HostId;

use super::FactsOfFleet;
use super::record::{Record, Taint};
use crate::model::{Application, Entry, Finding, Host, Map, Model, Node, NodeValue, Place, Scope, Text};
use crate::template::{Template, TemplateFault, is_template, node_of_value};

/// How many settings may be evaluated on the way to one.
const MAX_SETTINGS_DEPTH: usize = 48;

/// Nothing came of it: the record says which fault or which missing fact is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopped;

/// An application as a host has it.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) name: Arc<str>,
    pub(super) application: Arc<Application>,
    /// The values given for its parameters: a map.
    pub(super) given: Node,
    /// Where it is assigned.
    pub(super) place: Place,
    /// The assignment: an entry of the host's layers.
    pub(super) assignment: Entry,
}

/// A value that is computed at most once.
#[derive(Debug, Clone)]
pub(super) enum Memo {
    Running,
    Done { value: Value, taint: Taint },
    Failed,
}

/// Names a value that is computed at most once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum MemoKey {
    /// A parameter or value of an instance.
    Name(Arc<str>, Arc<str>),
    /// A string of the free settings, by its place.
    Setting(Place),
}

/// One host's render.
#[derive(Debug)]
pub(super) struct Rendering {
    pub(super) model: Model,
    pub(super) host: Host,
    pub(super) facts: FactsOfFleet,
    /// All settings: a map without nulls.
    pub(super) settings: Node,
    pub(super) instances: BTreeMap<Arc<str>, Instance>,
    record: Mutex<Record>,
    memos: Mutex<HashMap<MemoKey, Memo>>,
}

impl Rendering {
    pub(super) fn new(
        model: &Model,
        host: &Host,
        facts: &FactsOfFleet,
        settings: Node,
        instances: BTreeMap<Arc<str>, Instance>,
    ) -> Rendering {
        Rendering {
            model: model.clone(),
            host: host.clone(),
            facts: facts.clone(),
            settings,
            instances,
            record: Mutex::default(),
            memos: Mutex::default(),
        }
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scope of a fault: of the host alone if it depends on facts, else of its environment.
    pub(super) fn scope_of(&self, tainted: bool) -> Scope {
        if tainted {
            Scope::Host(self.host.id.to_string())
        } else {
            Scope::Environments(BTreeSet::from([self.host.environment.to_string()]))
        }
    }

    /// Notes a fault of what is being evaluated.
    pub(super) fn fault(&self, finding: Finding) -> Stopped {
        let mut record = self.record();
        let scope = self.scope_of(record.taint.facts);
        record.find(finding.with_scope(scope));
        Stopped
    }

    /// Evaluates on its own: the taint that it finds is its own, and taints what surrounds it.
    pub(super) fn isolated<T>(&self, run: impl FnOnce() -> Result<T, Stopped>) -> (Result<T, Stopped>, Taint) {
        let before = std::mem::take(&mut self.record().taint);
        let result = run();
        let mut record = self.record();
        let taint = record.taint.clone();
        record.taint.add(&before);
        (result, taint)
    }

    /// Computes a named value once. A value that needs itself is a finding.
    pub(super) fn once(
        &self,
        key: MemoKey,
        name: &str,
        place: &Place,
        compute: impl FnOnce() -> Result<Value, Stopped>,
    ) -> Result<Value, Stopped> {
        let known = self.memos().get(&key).cloned();
        match known {
            Some(Memo::Done { value, taint }) => {
                self.record().taint.add(&taint);
                return Ok(value);
            }
            Some(Memo::Failed) => {
                self.record().stops += 1;
                return Err(Stopped);
            }
            Some(Memo::Running) => {
                let stack = self.record().stack.clone();
                let start = stack.iter().position(|other| other == name).unwrap_or(0);
                let cycle = stack.get(start..).unwrap_or_default().join(" → ");
                return Err(self.fault(Finding::new(place.clone(), format!("'{name}' needs itself: {cycle} → {name}"))));
            }
            None => {}
        }
        if self.record().stack.len() >= MAX_SETTINGS_DEPTH {
            let reason = format!("more than {MAX_SETTINGS_DEPTH} settings need one another");
            return Err(self.fault(Finding::new(place.clone(), reason)));
        }
        self.memos().insert(key.clone(), Memo::Running);
        self.record().stack.push(name.to_owned());
        let (result, taint) = self.isolated(compute);
        self.record().stack.pop();
        let memo = match &result {
            Ok(value) => Memo::Done { value: value.clone(), taint },
            Err(Stopped) => Memo::Failed,
        };
        self.memos().insert(key, memo);
        result
    }

    fn memos(&self) -> MutexGuard<'_, HashMap<MemoKey, Memo>> {
        self.memos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evaluates a compiled template; `place_of` places a fault in it.
    pub(super) fn evaluate_template(
        &self,
        template: &Template,
        scope: &Value,
        place_of: impl Fn(usize) -> Place,
    ) -> Result<Value, Stopped> {
        let stops = self.record().stops;
        let result = template.evaluate(scope);
        let (stopped, objection) = {
            let mut record = self.record();
            (record.stops > stops, record.objection.take())
        };
        let offset = result.as_ref().err().map_or(0, |fault| fault.offset);
        match (objection, stopped, result) {
            (Some((reason, hint)), ..) => {
                let finding = Finding::new(place_of(offset), reason);
                Err(self.fault(match hint {
                    Some(hint) => finding.with_hint(hint),
                    None => finding,
                }))
            }
            (None, true, _) => Err(Stopped),
            (None, false, Ok(value)) => Ok(value),
            (None, false, Err(fault)) => Err(self.fault(self.finding_of(&fault, place_of(offset), scope))),
        }
    }

    fn finding_of(&self, fault: &TemplateFault, place: Place, scope: &Value) -> Finding {
        let finding = Finding::new(place, fault.reason.clone());
        let names =
            scope.downcast_object_ref::<super::scope::Root>().map(super::scope::Root::names).unwrap_or_default();
        let name = fault.reason.strip_prefix('`').and_then(|rest| rest.strip_suffix("` is undefined"));
        if name.is_some_and(|name| names.iter().any(|known| known.as_ref() == name)) {
            return finding.with_hint("the parameter has neither a value nor a default");
        }
        match fault.hint(scope, names.iter().map(AsRef::as_ref)) {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        }
    }

    /// Evaluates a string that has a template in it.
    pub(super) fn evaluate_text(&self, node: &Node, text: &Text, scope: &Value) -> Result<Value, Stopped> {
        self.read_document(&node.place.file);
        match self.model.templates().string(&text.text) {
            Ok(template) => self.evaluate_template(&template, scope, |offset| node.place_in_text(offset)),
            // The document's own check found it.
            Err(_) => {
                self.record().stops += 1;
                Err(Stopped)
            }
        }
    }

    /// Evaluates all templates in a tree. Every one is tried, so that every fault is found.
    pub(super) fn evaluate_node(&self, node: &Node, scope: &Value) -> Result<Node, Stopped> {
        match &node.value {
            NodeValue::String(text) if is_template(&text.text) => {
                let value = self.evaluate_text(node, text, scope)?;
                node_of_value(&value, &node.place)
                    .map_err(|fault| self.fault(Finding::new(node.place_in_text(0), fault.to_string())))
            }
            NodeValue::List(items) if holds_template(node) => {
                let items: Vec<_> = items.iter().map(|item| self.evaluate_node(item, scope)).collect();
                let items: Result<Vec<Node>, Stopped> = items.into_iter().collect();
                Ok(Node::new(node.place.clone(), NodeValue::List(items?.into())))
            }
            NodeValue::Map(map) if holds_template(node) => {
                map.entries().iter().for_each(|entry| self.read_document(&entry.place.file));
                let evaluated: Vec<_> = map
                    .entries()
                    .iter()
                    .map(|entry| Ok(Entry { value: self.evaluate_node(&entry.value, scope)?, ..entry.clone() }))
                    .collect();
                let entries: Result<Vec<Entry>, Stopped> = evaluated.into_iter().collect();
                Ok(Node::new(node.place.clone(), NodeValue::Map(Arc::new(Map::of_sorted(entries?)))))
            }
            _ => {
                self.read_tree(node);
                Ok(node.clone())
            }
        }
    }

    /// The id of the host.
    pub(super) fn id(&self) -> &HostId {
        &self.host.id
    }
}

fn holds_template(node: &Node) -> bool {
    match &node.value {
        NodeValue::String(text) => is_template(&text.text),
        NodeValue::List(items) => items.iter().any(holds_template),
        NodeValue::Map(map) => map.entries().iter().any(|entry| holds_template(&entry.value)),
        _ => false,
    }
}
