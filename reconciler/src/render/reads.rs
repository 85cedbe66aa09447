//! What a render reads, so that it is known when it would come out the same.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use minijinja::Value;
use muster_schema::document::Selector;
use muster_schema::secret::SecretName;
use muster_schema::{Collection, ExtensionName, HostId};

use super::FactsOfFleet;
use super::facts::value_of_fact;
use crate::model::{Application, FileEntry, Host, Layer, Model};

/// Something that a render looked up beyond the host's own layers and applications.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Read {
    /// A fact of a host.
    Fact { host: HostId, name: &'static str },
    /// Which of the selected hosts have reported; of one environment, or of the fleet.
    Reported { environment: Option<Arc<str>>, selector: Arc<str> },
    /// Which hosts are selected.
    Declared { environment: Option<Arc<str>>, selector: Arc<str> },
    /// Environment and labels of a host.
    Labels { host: HostId },
    /// Whether there is such an environment.
    Environment { name: Arc<str> },
    /// A content, or all contents below a folder.
    Content { path: Arc<str> },
    /// The names of all applications.
    Applications,
    /// What documents may bring about.
    Outputs,
    /// The declaration of a collection.
    Extension { name: ExtensionName },
    /// Whether a host can read a secret, and its ciphertext.
    Secret { host: HostId, name: SecretName },
}

/// What a render read: its host's layers and applications, and all else with a hash of the answer it got.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    host: Option<Arc<HostInputs>>,
    answers: BTreeMap<Read, u64>,
}

/// What a host is rendered from.
#[derive(Debug, Clone)]
struct HostInputs {
    id: HostId,
    environment: Arc<str>,
    labels: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    base: Arc<Layer>,
    layer: Arc<Layer>,
    applications: Vec<Arc<Application>>,
}

impl Reads {
    /// The facts that were read.
    pub fn facts(&self) -> impl Iterator<Item = (&HostId, &'static str)> {
        self.answers.keys().filter_map(|read| match read {
            Read::Fact { host, name } => Some((host, *name)),
            _ => None,
        })
    }

    /// Whether nothing that hosts report was read.
    pub fn is_empty(&self) -> bool {
        !self.answers.keys().any(|read| matches!(read, Read::Fact { .. } | Read::Reported { .. }))
    }

    /// Whether something was read that one of `hosts` reported. A selection of
    /// hosts that have reported counts as `selection`.
    pub fn any_reported_by(&self, hosts: impl Fn(&HostId) -> bool, selection: bool) -> bool {
        self.answers.keys().any(|read| match read {
            Read::Fact { host, .. } => hosts(host),
            Read::Reported { .. } => selection,
            _ => false,
        })
    }

    /// Whether the host would render to the same: every read, in the repository and of facts, has the same answer.
    pub fn still_hold(&self, model: &Model, facts: &FactsOfFleet) -> bool {
        let host_is_same = self.host.as_ref().is_none_or(|inputs| inputs.are_same(model));
        host_is_same && self.answers.iter().all(|(read, answer)| read.answer(model, facts) == *answer)
    }

    pub(super) fn begin(&mut self, host: &Host, applications: impl Iterator<Item = Arc<Application>>) {
        self.host = Some(Arc::new(HostInputs {
            id: host.id.clone(),
            environment: host.environment.clone(),
            labels: host.labels.clone(),
            base: host.base.clone(),
            layer: host.layer.clone(),
            applications: applications.collect(),
        }));
    }

    fn note(&mut self, read: Read, model: &Model, facts: &FactsOfFleet) {
        if let Entry::Vacant(entry) = self.answers.entry(read) {
            let answer = entry.key().answer(model, facts);
            entry.insert(answer);
        }
    }

    pub(super) fn note_fact(&mut self, host: &HostId, name: &'static str, model: &Model, facts: &FactsOfFleet) {
        self.note(Read::Fact { host: host.clone(), name }, model, facts);
    }

    pub(super) fn note_selection(
        &mut self,
        environment: Option<Arc<str>>,
        selector: &str,
        all: bool,
        model: &Model,
        facts: &FactsOfFleet,
    ) {
        let selector = Arc::from(selector);
        let read =
            if all { Read::Declared { environment, selector } } else { Read::Reported { environment, selector } };
        self.note(read, model, facts);
    }

    pub(super) fn note_labels(&mut self, host: &HostId, model: &Model, facts: &FactsOfFleet) {
        self.note(Read::Labels { host: host.clone() }, model, facts);
    }

    pub(super) fn note_environment(&mut self, name: &str, model: &Model, facts: &FactsOfFleet) {
        self.note(Read::Environment { name: Arc::from(name) }, model, facts);
    }

    pub(super) fn note_content(&mut self, path: &str, model: &Model, facts: &FactsOfFleet) {
        self.note(Read::Content { path: Arc::from(path) }, model, facts);
    }

    pub(super) fn note_extension(&mut self, name: ExtensionName, model: &Model, facts: &FactsOfFleet) {
        self.note(Read::Extension { name }, model, facts);
    }

    pub(super) fn note_secret(&mut self, host: &HostId, name: &SecretName, model: &Model, facts: &FactsOfFleet) {
        self.note(Read::Secret { host: host.clone(), name: name.clone() }, model, facts);
    }

    pub(super) fn note_applications(&mut self, model: &Model, facts: &FactsOfFleet) {
        self.note(Read::Applications, model, facts);
        self.note(Read::Outputs, model, facts);
    }
}

impl HostInputs {
    fn are_same(&self, model: &Model) -> bool {
        let Some(host) = model.host(&self.id) else { return false };
        let same_application = |application: &Arc<Application>| {
            model.application(&application.name).is_some_and(|now| Arc::ptr_eq(now, application))
        };
        Arc::ptr_eq(&host.base, &self.base)
            && Arc::ptr_eq(&host.layer, &self.layer)
            && host.environment == self.environment
            && host.labels == self.labels
            && self.applications.iter().all(same_application)
    }
}

impl Read {
    /// The hash of the answer that the read gets.
    fn answer(&self, model: &Model, facts: &FactsOfFleet) -> u64 {
        match self {
            Read::Fact { host, name } => {
                let value =
                    facts.of(host).map(|facts| value_of_fact(facts, name).unwrap_or(Value::UNDEFINED).to_string());
                hash_of(&value)
            }
            Read::Reported { environment, selector } => {
                let selected = select(model, environment.as_deref(), selector);
                let reported: Vec<(&HostId, bool)> =
                    selected.iter().map(|host| (host, facts.has_reported(host))).collect();
                hash_of(&reported)
            }
            Read::Declared { environment, selector } => hash_of(&select(model, environment.as_deref(), selector)),
            Read::Labels { host } => hash_of(&model.host(host).map(|host| (&host.environment, &host.labels))),
            Read::Environment { name } => hash_of(&model.environments().any(|known| known == name)),
            Read::Content { path } => {
                let entry = |entry: &FileEntry| match entry {
                    FileEntry::File(id) => Some(*id),
                    _ => None,
                };
                let below: Vec<_> = model.contents().below(path).map(|(below, found)| (below, entry(found))).collect();
                hash_of(&(model.contents().entry(path).map(entry), below))
            }
            Read::Secret { host, name } => {
                let host = model.host(host);
                let readable = host.and_then(|host| model.secrets().readable(name, host).ok());
                hash_of(&readable.map(|secret| secret.ciphertext))
            }
            Read::Applications => model.names_of_applications(),
            Read::Outputs => model.outputs().digest(),
            Read::Extension { name } => {
                hash_of(&model.extensions().of(Collection::Extension(*name)).map(|extension| extension.digest))
            }
        }
    }
}

fn select(model: &Model, environment: Option<&str>, selector: &str) -> Arc<[HostId]> {
    // What is no selector never became a read.
    selector.parse::<Selector>().map(|selector| model.select(environment, &selector)).unwrap_or_else(|_| Arc::new([]))
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
