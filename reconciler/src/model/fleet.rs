//! The model: a whole state repository as data.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use globset::{GlobBuilder, GlobMatcher};
use muster_schema::document::{OnRetire, Selector};
use muster_schema::{FleetName, HostId, PublicKey};
use serde::Deserialize;

use super::contents::Contents;
use super::document::Document;
use super::{Application, EnrolmentToken, Extensions, Layer, Node, NodeValue, Place, Secrets};
use crate::policy::Outputs;
use crate::template::Templates;

/// A state repository, loaded. Cloning is cheap.
#[derive(Clone)]
pub struct Model(pub(super) Arc<ModelData>);

pub(super) struct ModelData {
    pub(super) fleet: Option<FleetName>,
    pub(super) environments: BTreeSet<Arc<str>>,
    pub(super) hosts: BTreeMap<HostId, Host>,
    pub(super) applications: BTreeMap<Arc<str>, Arc<Application>>,
    pub(super) extensions: Extensions,
    pub(super) secrets: Secrets,
    pub(super) tokens: Vec<EnrolmentToken>,
    pub(super) outputs: Outputs,
    pub(super) contents: Contents,
    pub(super) templates: Arc<Templates>,
    pub(super) selections: Mutex<Selections>,
    pub(super) names_of_applications: OnceLock<u64>,
    pub(super) globs: Mutex<HashMap<String, Arc<GlobMatcher>>>,
}

/// Answers of [`Model::select`] by environment and selector.
pub(super) type Selections = HashMap<(Option<Arc<str>>, String), Arc<[HostId]>>;

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Model")
    }
}

/// A profile.
#[derive(Debug)]
pub(super) struct Profile {
    /// Which hosts have it; none where the document does not say.
    pub(super) selector: Option<Selector>,
    /// What they have.
    pub(super) layer: Arc<Layer>,
    /// Where it is written.
    pub(super) place: Place,
    /// It is not well-formed: nobody knows which hosts have it, or what.
    pub(super) unread: bool,
}

/// A host as it is declared.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// The environment it is in.
    pub environment: Arc<str>,
    /// Its labels, the environment's among them.
    pub labels: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    /// Its public key; without it nothing is published for the host.
    pub key: Option<PublicKey>,
    /// Keys that no token makes this host's.
    pub revoked_keys: Vec<PublicKey>,
    /// Nobody knows what key the file names: it, or the key in it, is not well-formed.
    pub key_unread: bool,
    /// What secrets for it are encrypted to.
    pub recipient: Option<String>,
    /// What becomes of it when it leaves the repository.
    pub on_retire: OnRetire,
    /// Where it is declared.
    pub place: Place,
    /// What it shares with others: fleet, profiles and environment, merged.
    pub base: Arc<Layer>,
    /// What its own file says.
    pub layer: Arc<Layer>,
    /// One of its layers is not well-formed: what it lacks may be given there.
    pub unread: bool,
}

impl Host {
    /// What a host's document says.
    pub(super) fn of_document(
        id: HostId,
        environment: Arc<str>,
        labels: BTreeMap<Arc<str>, Arc<str>>,
        document: &Document,
        base: Arc<Layer>,
    ) -> Host {
        let field = |name: &str| document.root.get(name);
        let key_of = |node: &Node| node.as_str().and_then(|key| key.parse().ok());
        let key = field("key").and_then(key_of);
        let revoked_keys = match field("revoked_keys").map(|node| &node.value) {
            Some(NodeValue::List(keys)) => keys.iter().filter_map(key_of).collect(),
            _ => Vec::new(),
        };
        Host {
            id,
            environment,
            labels: Arc::new(labels),
            key,
            revoked_keys,
            key_unread: document.unread || (key.is_none() && field("key").is_some_and(|node| !node.is_null())),
            recipient: field("recipient").and_then(Node::as_str).map(str::to_owned),
            on_retire: field("on_retire").and_then(|node| OnRetire::deserialize(node).ok()).unwrap_or_default(),
            place: document.root.place.clone(),
            base,
            layer: document.layer.clone(),
            unread: document.unread,
        }
    }
}

impl Model {
    /// The fleet's name, unless muster.yaml is faulty.
    pub fn fleet(&self) -> Option<&FleetName> {
        self.0.fleet.as_ref()
    }

    /// The names of the environments.
    pub fn environments(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.environments.iter()
    }

    /// All hosts, sorted by id; those without a key are declared and checked, never published.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.0.hosts.values()
    }

    /// A host.
    pub fn host(&self, id: &HostId) -> Option<&Host> {
        self.0.hosts.get(id)
    }

    /// The hosts that a selector selects, sorted by id: of one environment, or of the whole fleet.
    pub fn select(&self, environment: Option<&str>, selector: &Selector) -> Arc<[HostId]> {
        let key = (environment.map(Arc::from), selector.to_string());
        let mut selections = self.0.selections.lock().unwrap_or_else(PoisonError::into_inner);
        let select = || {
            let hosts = self.0.hosts.values();
            let hosts = hosts.filter(|host| environment.is_none_or(|name| host.environment.as_ref() == name));
            hosts.filter(|host| selector.selects(&host.labels)).map(|host| host.id.clone()).collect()
        };
        selections.entry(key).or_insert_with(select).clone()
    }

    /// A glob of addresses, compiled once. `*` stays within a folder, `**` does not.
    pub(crate) fn glob(&self, text: &str) -> Result<Arc<GlobMatcher>, globset::Error> {
        let mut globs = self.0.globs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(glob) = globs.get(text) {
            return Ok(glob.clone());
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build()?.compile_matcher();
        let glob = Arc::new(glob);
        globs.insert(text.to_owned(), glob.clone());
        Ok(glob)
    }

    /// An application.
    pub fn application(&self, name: &str) -> Option<&Arc<Application>> {
        self.0.applications.get(name)
    }

    /// All applications.
    pub fn applications(&self) -> impl Iterator<Item = &Arc<Application>> {
        self.0.applications.values()
    }

    /// The declared collections.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// The secrets, and who can read them.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// The enrolment tokens, sorted by name.
    pub fn tokens(&self) -> &[EnrolmentToken] {
        &self.0.tokens
    }

    /// What documents may bring about, whoever writes them.
    pub fn outputs(&self) -> &Outputs {
        &self.0.outputs
    }

    /// A hash of the names of all applications.
    pub(crate) fn names_of_applications(&self) -> u64 {
        *self.0.names_of_applications.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.0.applications.keys().for_each(|name| name.hash(&mut hasher));
            hasher.finish()
        })
    }

    /// The contents below files/ folders.
    pub fn contents(&self) -> &Contents {
        &self.0.contents
    }

    /// The compiled templates of this repository.
    pub(crate) fn templates(&self) -> &Arc<Templates> {
        &self.0.templates
    }
}
