//! Loads a state repository: every document, and every fault in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use muster_schema::HostId;
use muster_schema::document::Selector;

use super::contents::{Contents, LoadedContents};
use super::document::{Document, Kind, load_document};
use super::fleet::{Host, Model, ModelData, Profile};
use super::layout::{Item, classify};
use super::merge::{disagreement, unite};
use super::{
    Application, BlobId, EnrolmentToken, Extension, Extensions, FileEntry, Finding, Layer, MAX_DOCUMENT_BYTES, Node,
    Place, RECIPIENTS_FILE, RepositoryFiles, Scope, Secrets,
};
use crate::policy::{Outputs, load_access_policy};
use crate::template::Templates;

/// What stays loaded from one revision to the next: documents by blob, what they come to, contents, templates.
#[derive(Default)]
pub struct ModelCache {
    documents: HashMap<DocumentKey, Arc<Document>>,
    applications: HashMap<DocumentKey, (Arc<Application>, Vec<Finding>)>,
    bases: HashMap<Vec<LayerPointer>, Base>,
    contents: Arc<LoadedContents>,
    templates: Arc<Templates>,
}

/// A path, and what is there; none for a document that need not be written.
type DocumentKey = (Arc<str>, Option<BlobId>);

/// Tells one layer from another while both are in memory: its address.
type LayerPointer = usize;

/// What hosts share, merged: the layers that it is made of, the result, and what was found.
#[derive(Clone)]
struct Base {
    _layers: Vec<Arc<Layer>>,
    merged: Arc<Layer>,
    found: Vec<Finding>,
}

/// What is known of an environment while it is put together.
struct Environment {
    document: Arc<Document>,
    profiles: Vec<Profile>,
}

struct Loading<'a> {
    files: &'a RepositoryFiles,
    cache: &'a ModelCache,
    /// What the next revision may find again.
    kept: ModelCache,
    extensions: Extensions,
    found: Vec<Finding>,
    /// Findings whose scope does not follow from their file.
    scoped: Vec<Finding>,
}

/// Loads a state repository. The model holds what is sound; each fault has a finding,
/// whose scope says which environments it holds back.
pub fn load_model(files: &RepositoryFiles, cache: &mut ModelCache) -> (Model, Vec<Finding>) {
    let kept =
        ModelCache { contents: cache.contents.clone(), templates: cache.templates.clone(), ..ModelCache::default() };
    let extensions = Extensions::default();
    let mut loading = Loading { files, cache, kept, extensions, found: files.check(), scoped: Vec::new() };
    let items = loading.classify_all();
    loading.extensions(&items);
    let outputs = loading.access(&items);
    let fleet = loading.fleet(&items);
    let applications = loading.applications(&items);
    let environments = loading.environments(&items);
    let profiles = loading.profiles(&items, None);
    let secrets = loading.secrets(&items);
    let tokens = loading.tokens(&items);
    let hosts = loading.hosts(&items, &fleet, &profiles, &environments);
    let Loading { kept, extensions, found, scoped, .. } = loading;
    *cache = kept;
    let data = ModelData {
        fleet: fleet.root.get("fleet").and_then(Node::as_str).and_then(|name| name.parse().ok()),
        environments: environments.into_keys().collect(),
        hosts,
        applications,
        extensions,
        secrets,
        tokens,
        outputs,
        contents: Contents::new(files.clone(), cache.contents.clone()),
        templates: cache.templates.clone(),
        selections: Default::default(),
        names_of_applications: Default::default(),
        globs: Default::default(),
    };
    let mut all = super::scope::assign_scopes(&data, &profiles, found);
    all.extend(scoped);
    all.sort();
    all.dedup();
    (Model(Arc::new(data)), all)
}

type Items = Vec<(Arc<str>, Item)>;

impl Loading<'_> {
    fn classify_all(&mut self) -> Items {
        let mut items = Items::new();
        let mut refused_folders = BTreeSet::new();
        for (path, entry) in self.files.entries() {
            match classify(path) {
                Ok(Item::Ignored | Item::Content) => {}
                Ok(item) => match entry {
                    // One that leads out of the repository was found already.
                    FileEntry::Link { .. } if self.found.iter().any(|finding| finding.place.file == *path) => {}
                    FileEntry::Link { .. } => {
                        let reason = "a document cannot be a link";
                        self.found.push(Finding::new(Place::start_of(path), reason));
                    }
                    _ => items.push((path.clone(), item)),
                },
                // One finding a folder is enough where nothing in it is known.
                Err(finding) => {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    if refused_folders.insert((folder, finding.reason.clone())) {
                        self.found.push(finding);
                    }
                }
            }
        }
        items
    }

    /// The document at a path; its faults are noted.
    fn document(&mut self, kind: Kind, path: &Arc<str>) -> Arc<Document> {
        let id = match self.files.entry(path) {
            Some((_, FileEntry::File(id))) => Some(*id),
            _ => None,
        };
        let key = (path.clone(), id);
        let document = match (self.cache.documents.get(&key), id) {
            (Some(document), _) => document.clone(),
            (None, None) => Arc::new(Document::empty(kind, path, Vec::new())),
            (None, Some(id)) => Arc::new(match self.files.load_blob(path, id, MAX_DOCUMENT_BYTES) {
                Ok(bytes) => load_document(kind, path, &bytes, &self.cache.templates),
                Err(finding) => Document::empty(kind, path, vec![finding]),
            }),
        };
        self.found.extend(document.found.iter().cloned());
        self.extensions.check(&document.root, &mut self.found);
        self.kept.documents.insert(key, document.clone());
        document
    }

    /// The declared collections. They come first: what other documents say is checked against them.
    fn extensions(&mut self, items: &Items) {
        let mut extensions = Extensions::default();
        for (path, item) in items {
            let Item::Extension { name } = item else { continue };
            let document = self.document(Kind::Extension, path);
            let extension = Extension::of_document(*name, &document, &mut self.found);
            extensions.0.insert(*name, Arc::new(extension));
        }
        self.extensions = extensions;
    }

    /// Who may change what is read where commits are verified; here its faults are found, and what documents may
    /// bring about.
    fn access(&mut self, items: &Items) -> Outputs {
        let Some((path, _)) = items.iter().find(|(_, item)| *item == Item::AccessPolicy) else {
            return Outputs::default();
        };
        let Some((_, FileEntry::File(id))) = self.files.entry(path) else { return Outputs::default() };
        let bytes = self.files.load_blob(path, *id, MAX_DOCUMENT_BYTES).map_err(|finding| vec![finding]);
        let policy = match bytes.and_then(|bytes| load_access_policy(path, &bytes)) {
            Ok(policy) => policy,
            Err(found) => {
                self.found.extend(found);
                return Outputs::default();
            }
        };
        let rules = policy.rules.iter().map(|rule| (rule.name.line, &rule.bounds));
        for (line, bounds) in rules.chain(policy.outputs.iter().map(|entry| (entry.line, &entry.bounds))) {
            let place = Place { file: path.clone(), line, column: 1 };
            let collections = bounds.collections.iter().flatten();
            self.found.extend(collections.filter_map(|one| self.extensions.unknown(*one, &place)));
        }
        policy.outputs
    }

    fn fleet(&mut self, items: &Items) -> Arc<Document> {
        let Some((path, _)) = items.iter().find(|(_, item)| *item == Item::Fleet) else {
            let finding = Finding::new(Place::start_of("muster.yaml"), "the file is missing");
            self.found.push(finding.with_hint("it begins with 'schema: 1' and 'fleet: NAME'"));
            return self.document(Kind::Fleet, &Arc::from("muster.yaml"));
        };
        self.document(Kind::Fleet, path)
    }

    /// The secrets, and who can read them.
    fn secrets(&mut self, items: &Items) -> Secrets {
        if !items.iter().any(|(_, item)| matches!(item, Item::Recipients | Item::Secret)) {
            return Secrets::default();
        }
        let document = self.document(Kind::Recipients, &Arc::from(RECIPIENTS_FILE));
        Secrets::load(self.files, &document, &mut self.found)
    }

    /// The enrolment tokens. A faulty one is none.
    fn tokens(&mut self, items: &Items) -> Vec<EnrolmentToken> {
        let mut tokens: Vec<EnrolmentToken> = Vec::new();
        for (path, item) in items {
            let Item::Token { name } = item else { continue };
            let document = self.document(Kind::Token, path);
            let Some(token) = EnrolmentToken::of_document(name, &document, &mut self.found) else { continue };
            if let Some(other) = tokens.iter().find(|other| other.key == token.key) {
                let reason = format!("the key is that of the token '{}' as well, at {}", other.name, other.place);
                let hint = "make each token by 'muster host token'";
                self.found.push(Finding::new(token.place, reason).with_hint(hint));
                continue;
            }
            tokens.push(token);
        }
        tokens
    }

    fn applications(&mut self, items: &Items) -> BTreeMap<Arc<str>, Arc<Application>> {
        let mut applications = BTreeMap::new();
        for (path, item) in items {
            let Item::Application { name } = item else { continue };
            let document = self.document(Kind::Application, path);
            let Some((_, FileEntry::File(id))) = self.files.entry(path) else { continue };
            let key = (path.clone(), Some(*id));
            let (application, found) = self.cache.applications.get(&key).cloned().unwrap_or_else(|| {
                let mut found = Vec::new();
                let application = Application::of_document(name.clone(), &document, &mut found);
                (Arc::new(application), found)
            });
            self.found.extend(found.iter().cloned());
            self.kept.applications.insert(key, (application.clone(), found));
            applications.insert(name.clone(), application);
        }
        applications
    }

    fn environments(&mut self, items: &Items) -> BTreeMap<Arc<str>, Environment> {
        let mut environments: BTreeMap<Arc<str>, Environment> = BTreeMap::new();
        for (path, item) in items {
            let document = match item {
                Item::Environment { .. } => self.document(Kind::Environment, path),
                Item::Host { environment, .. } | Item::Profile { environment: Some(environment), .. } => {
                    if environments.contains_key(environment) {
                        continue;
                    }
                    let assumed = format!("environments/{environment}/environment.yaml");
                    self.document(Kind::Environment, &Arc::from(assumed))
                }
                _ => continue,
            };
            if let Item::Environment { environment }
            | Item::Host { environment, .. }
            | Item::Profile { environment: Some(environment), .. } = item
            {
                environments.insert(environment.clone(), Environment { document, profiles: Vec::new() });
            }
        }
        for (name, environment) in &mut environments {
            environment.profiles = self.profiles(items, Some(name));
        }
        environments
    }

    fn profiles(&mut self, items: &Items, of: Option<&Arc<str>>) -> Vec<Profile> {
        let mut profiles = Vec::new();
        for (path, item) in items {
            match item {
                Item::Profile { environment, .. } if environment.as_ref() == of => {
                    let document = self.document(Kind::Profile, path);
                    let selector = document.root.get("hosts").and_then(Node::as_str);
                    let selector: Option<Selector> = selector.and_then(|text| text.parse().ok());
                    let (layer, place) = (document.layer.clone(), document.root.place.clone());
                    profiles.push(Profile { selector, layer, place, unread: document.unread });
                }
                _ => {}
            }
        }
        profiles
    }

    fn hosts(
        &mut self,
        items: &Items,
        fleet: &Document,
        profiles: &[Profile],
        environments: &BTreeMap<Arc<str>, Environment>,
    ) -> BTreeMap<HostId, Host> {
        let mut hosts: BTreeMap<HostId, Host> = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for (path, item) in items {
            let Item::Host { environment: name, name: id } = item else { continue };
            let (Some(environment), Ok(id)) = (environments.get(name), id.parse::<HostId>()) else { continue };
            let document = self.document(Kind::Host, path);
            let mut labels = environment.document.labels.clone();
            labels.extend(document.labels.clone());
            let selects =
                |profile: &&Profile| profile.selector.as_ref().is_some_and(|selector| selector.selects(&labels));
            let of_fleet: Vec<&Profile> = profiles.iter().filter(selects).collect();
            let of_environment: Vec<&Profile> = environment.profiles.iter().filter(selects).collect();
            let base = self.base(name, &fleet.layer, &of_fleet, &environment.document.layer, &of_environment);
            let documents_unread = [fleet, &*environment.document, &*document].iter().any(|document| document.unread);
            let unread = documents_unread || profiles.iter().chain(&environment.profiles).any(|profile| profile.unread);
            let host = Host { unread, ..Host::of_document(id, name.clone(), labels, &document, base) };
            let both = |other: &Host| Scope::Environments([name.to_string(), other.environment.to_string()].into());
            if let Some(other) = hosts.get(&host.id) {
                let reason = format!("the host '{}' is declared twice, also at {}", host.id, other.place);
                self.scoped.push(Finding::new(host.place.clone(), reason).with_scope(both(other)));
                continue;
            }
            if let Some(key) = host.key
                && let Some(other) = keys.insert(key, host.id.clone()).and_then(|other| hosts.get(&other))
            {
                let place = document.root.get("key").map_or(&host.place, |node| &node.place);
                let reason = format!("the key is that of the host '{}' as well, at {}", other.id, other.place);
                self.scoped.push(Finding::new(place.clone(), reason).with_scope(both(other)));
            }
            if host.key.is_some_and(|key| host.revoked_keys.contains(&key)) {
                let place = document.root.get("key").map_or(&host.place, |node| &node.place);
                let finding = Finding::new(place.clone(), "the key is one that 'revoked_keys' takes back");
                self.found.push(finding.with_hint("remove one of the two lines"));
            }
            hosts.insert(host.id.clone(), host);
        }
        hosts
    }

    /// What hosts share: fleet, its profiles, environment, its profiles. The same layers give the same base,
    /// in this revision and the next.
    fn base(
        &mut self,
        environment: &Arc<str>,
        fleet: &Arc<Layer>,
        of_fleet: &[&Profile],
        own: &Arc<Layer>,
        of_environment: &[&Profile],
    ) -> Arc<Layer> {
        let layers_of = |profiles: &[&Profile]| -> Vec<Arc<Layer>> {
            profiles.iter().map(|profile| profile.layer.clone()).collect()
        };
        let layers = [vec![fleet.clone()], layers_of(of_fleet), vec![own.clone()], layers_of(of_environment)].concat();
        let key: Vec<LayerPointer> = layers.iter().map(|layer| Arc::as_ptr(layer).addr()).collect();
        if let Some(base) = self.kept.bases.get(&key) {
            return base.merged.clone();
        }
        let base = self.cache.bases.get(&key).cloned().unwrap_or_else(|| {
            let mut found = Vec::new();
            let first = united(of_fleet, &fleet.settings.place, &mut found);
            let second = united(of_environment, &own.settings.place, &mut found);
            let merged = Arc::new(fleet.under(&first).under(own).under(&second));
            Base { _layers: layers, merged, found }
        });
        let scope = Scope::Environments(BTreeSet::from([environment.to_string()]));
        self.scoped.extend(base.found.iter().map(|finding| finding.clone().with_scope(scope.clone())));
        let merged = base.merged.clone();
        self.kept.bases.insert(key, base);
        merged
    }
}

/// Profiles of one level as one layer. Where two disagree is a finding.
fn united(profiles: &[&Profile], place: &Place, found: &mut Vec<Finding>) -> Layer {
    let mut layer = Layer::empty(place);
    for profile in profiles {
        let other = &profile.layer;
        let mut tell = |what: &str, first: &Node, second: &Node| {
            let finding = disagreement(&format!("'{what}'"), first, second);
            found.push(finding.with_hint("two profiles of one level must not disagree"));
        };
        layer = Layer {
            assignments: unite(&layer.assignments, &other.assignments, "applications", &mut tell),
            settings: unite(&layer.settings, &other.settings, "settings", &mut tell),
            resources: unite(&layer.resources, &other.resources, "resources", &mut tell),
            ..layer
        };
    }
    layer
}
