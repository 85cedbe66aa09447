//! Loads a state repository: every document, and every fault in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use muster_schema::HostId;
use muster_schema::document::Selector;
use serde_json::Value;

use super::contents::{Contents, LoadedContents};
use super::document::{Document, Kind, load_document};
use super::fleet::{Host, Model, ModelData, Profile};
use super::layer::labels_of;
use super::layout::{Item, classify};
use super::merge::{disagreement, unite};
use super::{Application, BlobId, FileEntry, Finding, Layer, MAX_DOCUMENT_BYTES, Node, Place, RepositoryFiles, Scope};
use crate::template::Templates;

/// What stays loaded from one revision to the next: documents by blob, contents, compiled templates.
#[derive(Default)]
pub struct ModelCache {
    documents: HashMap<(Arc<str>, BlobId), Arc<Document>>,
    contents: Arc<LoadedContents>,
    templates: Arc<Templates>,
}

/// What is known of an environment while it is put together.
struct Environment {
    root: Node,
    layer: Layer,
    profiles: Vec<Profile>,
}

struct Loading<'a> {
    files: &'a RepositoryFiles,
    cache: &'a mut ModelCache,
    documents: HashMap<(Arc<str>, BlobId), Arc<Document>>,
    found: Vec<Finding>,
    /// Findings whose scope does not follow from their file.
    scoped: Vec<Finding>,
}

/// Loads a state repository. The model holds what is sound; each fault has a finding,
/// whose scope says which environments it holds back.
pub fn load_model(files: &RepositoryFiles, cache: &mut ModelCache) -> (Model, Vec<Finding>) {
    let mut loading = Loading { files, cache, documents: HashMap::new(), found: files.check(), scoped: Vec::new() };
    let items = loading.classify_all();
    let fleet = loading.fleet(&items);
    let applications = loading.applications(&items);
    let environments = loading.environments(&items);
    let profiles = loading.profiles(&items, None);
    let hosts = loading.hosts(&items, &fleet.layer, &profiles, &environments);
    let Loading { documents, cache, found, scoped, .. } = loading;
    cache.documents = documents;
    let data = ModelData {
        fleet: fleet.name,
        environments: environments.into_keys().collect(),
        hosts,
        applications,
        contents: Contents::new(files.clone(), cache.contents.clone()),
        templates: cache.templates.clone(),
        selections: Default::default(),
        globs: Default::default(),
    };
    let mut all = super::scope::assign_scopes(&data, &profiles, found);
    all.extend(scoped);
    all.sort();
    all.dedup();
    (Model(Arc::new(data)), all)
}

struct Fleet {
    name: Option<muster_schema::FleetName>,
    layer: Layer,
}

/// What hosts with one base have in common: environment, profiles of the fleet, profiles of the environment.
type BaseKey = (Arc<str>, Vec<usize>, Vec<usize>);

type Items = Vec<(Arc<str>, Item)>;

impl Loading<'_> {
    fn classify_all(&mut self) -> Items {
        let mut items = Items::new();
        let mut refused_folders = BTreeSet::new();
        for (path, entry) in self.files.entries() {
            match classify(path) {
                Ok(Item::Ignored | Item::Content) => {}
                Ok(item) => match entry {
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
    fn document(&mut self, kind: Kind, path: &Arc<str>) -> Node {
        let Some((_, FileEntry::File(id))) = self.files.entry(path) else {
            return Node::empty_map(Place::start_of(path));
        };
        let key = (path.clone(), *id);
        let document = match self.cache.documents.get(&key) {
            Some(document) => document.clone(),
            None => Arc::new(match self.files.load_blob(path, *id, MAX_DOCUMENT_BYTES) {
                Ok(bytes) => load_document(kind, path, &bytes, &self.cache.templates),
                Err(finding) => Document { root: Node::empty_map(Place::start_of(path)), found: vec![finding] },
            }),
        };
        self.found.extend(document.found.iter().cloned());
        let root = document.root.clone();
        self.documents.insert(key, document);
        root
    }

    fn fleet(&mut self, items: &Items) -> Fleet {
        let Some((path, _)) = items.iter().find(|(_, item)| *item == Item::Fleet) else {
            let place = Place::start_of("muster.yaml");
            let finding = Finding::new(place.clone(), "the file is missing");
            self.found.push(finding.with_hint("it begins with 'schema: 1' and 'fleet: NAME'"));
            return Fleet { name: None, layer: Layer::empty(&place) };
        };
        let root = self.document(Kind::Fleet, path);
        let name = root.get("fleet").and_then(Node::as_str).and_then(|name| name.parse().ok());
        Fleet { name, layer: Layer::of_document(&root, &mut self.found) }
    }

    fn applications(&mut self, items: &Items) -> BTreeMap<Arc<str>, Arc<Application>> {
        let mut applications = BTreeMap::new();
        for (path, item) in items {
            if let Item::Application { name } = item {
                let root = self.document(Kind::Application, path);
                let application = Application::of_document(name.clone(), &root, &mut self.found);
                applications.insert(name.clone(), Arc::new(application));
            }
        }
        applications
    }

    fn environments(&mut self, items: &Items) -> BTreeMap<Arc<str>, Environment> {
        let mut environments = BTreeMap::new();
        for (path, item) in items {
            let (name, root) = match item {
                Item::Environment { environment } => (environment, self.document(Kind::Environment, path)),
                Item::Host { environment, .. } | Item::Profile { environment: Some(environment), .. } => {
                    let assumed = format!("environments/{environment}/environment.yaml");
                    (environment, Node::empty_map(Place::start_of(&assumed)))
                }
                _ => continue,
            };
            if matches!(item, Item::Environment { .. }) || !environments.contains_key(name) {
                let layer = Layer::of_document(&root, &mut self.found);
                let profiles = self.profiles(items, Some(name));
                environments.insert(name.clone(), Environment { root, layer, profiles });
            }
        }
        environments
    }

    fn profiles(&mut self, items: &Items, of: Option<&Arc<str>>) -> Vec<Profile> {
        let mut profiles = Vec::new();
        for (path, item) in items {
            match item {
                Item::Profile { environment, .. } if environment.as_ref() == of => {
                    let root = self.document(Kind::Profile, path);
                    let selector = root.get("hosts").and_then(Node::as_str);
                    let selector: Option<Selector> = selector.and_then(|text| text.parse().ok());
                    let layer = Layer::of_document(&root, &mut self.found);
                    profiles.push(Profile { selector, layer, place: root.place.clone() });
                }
                _ => {}
            }
        }
        profiles
    }

    fn hosts(
        &mut self,
        items: &Items,
        fleet: &Layer,
        profiles: &[Profile],
        environments: &BTreeMap<Arc<str>, Environment>,
    ) -> BTreeMap<HostId, Host> {
        let mut bases: HashMap<BaseKey, Arc<Layer>> = HashMap::new();
        let mut hosts: BTreeMap<HostId, Host> = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for (path, item) in items {
            let Item::Host { environment: name, name: id } = item else { continue };
            let (Some(environment), Ok(id)) = (environments.get(name), id.parse::<HostId>()) else { continue };
            let root = self.document(Kind::Host, path);
            let mut labels = labels_of(&environment.root);
            labels.extend(labels_of(&root));
            let selected = |profiles: &[Profile]| -> Vec<usize> {
                let selects = |profile: &Profile| profile.selector.as_ref().is_some_and(|s| s.selects(&labels));
                let all = profiles.iter().enumerate();
                all.filter(|(_, profile)| selects(profile)).map(|(index, _)| index).collect()
            };
            let key = (name.clone(), selected(profiles), selected(&environment.profiles));
            let base = bases.entry(key).or_insert_with_key(|(_, of_fleet, of_environment)| {
                let scope = Scope::Environments(BTreeSet::from([name.to_string()]));
                let first = united(profiles, of_fleet, &fleet_place(fleet), &scope, &mut self.scoped);
                let second =
                    united(&environment.profiles, of_environment, &environment.root.place, &scope, &mut self.scoped);
                Arc::new(fleet.under(&first).under(&environment.layer).under(&second))
            });
            let field = |name: &str| root.get(name).map(Node::to_json).unwrap_or_default();
            let host = Host {
                id: id.clone(),
                environment: name.clone(),
                labels: Arc::new(labels),
                key: serde_json::from_value(field("key")).ok().flatten(),
                recipient: field("recipient").as_str().map(str::to_owned),
                on_retire: match field("on_retire") {
                    Value::Null => Default::default(),
                    given => serde_json::from_value(given).unwrap_or_default(),
                },
                place: root.place.clone(),
                base: base.clone(),
                layer: Arc::new(Layer::of_document(&root, &mut self.found)),
            };
            let both = |other: &Host| Scope::Environments([name.to_string(), other.environment.to_string()].into());
            if let Some(other) = hosts.get(&id) {
                let reason = format!("the host '{id}' is declared twice, also at {}", other.place);
                self.scoped.push(Finding::new(host.place.clone(), reason).with_scope(both(other)));
                continue;
            }
            if let Some(other) = host.key.and_then(|key| keys.insert(key, host.clone())) {
                let place = root.get("key").map_or(&host.place, |node| &node.place);
                let reason = format!("the key is that of the host '{}' as well, at {}", other.id, other.place);
                self.scoped.push(Finding::new(place.clone(), reason).with_scope(both(&other)));
            }
            hosts.insert(id, host);
        }
        hosts
    }
}

fn fleet_place(fleet: &Layer) -> Place {
    fleet.settings.place.clone()
}

/// Profiles of one level as one layer. Where two disagree is a finding.
fn united(profiles: &[Profile], selected: &[usize], place: &Place, scope: &Scope, found: &mut Vec<Finding>) -> Layer {
    let mut layer = Layer::empty(place);
    for profile in selected.iter().filter_map(|index| profiles.get(*index)) {
        let other = &profile.layer;
        let mut tell = |what: &str, first: &Node, second: &Node| {
            let finding = disagreement(&format!("'{what}'"), first, second).with_scope(scope.clone());
            found.push(finding.with_hint("two profiles of one level must not disagree"));
        };
        layer = Layer {
            assignments: unite(&layer.assignments, &other.assignments, "applications", &mut tell),
            settings: unite(&layer.settings, &other.settings, "settings", &mut tell),
            resources: unite(&layer.resources, &other.resources, "resources", &mut tell),
            mode: None,
        };
    }
    layer
}
