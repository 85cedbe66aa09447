//! What a commit brings about on hosts: the fleet rendered at both sides of it, by one set of facts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use git2::Oid;
use muster_schema::resource::Resource;
use muster_schema::{Address, HostId, Sha256Digest};

use super::survey::{LastRender, SurveyResult, Surveyed, findings_of, survey};
use crate::io::repository::list_revision;
use crate::model::{EnrolmentToken, Finding, Map, Model, ModelCache, RepositoryFiles, application_of, load_model};
use crate::policy::HostLabels;
use crate::render::{FactsOfFleet, render_host};
use crate::verify::{Effect, Effects, EffectsUnknown, Part, RenderEffects};

/// How many rendered fleets are kept: a commit has its parent, its policy's commit, and for a merge one more.
const KEPT: usize = 4;

/// The fleets of a repository, rendered at commits. What two of them have in common is rendered once.
pub struct FleetRenders {
    repository: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    cache: ModelCache,
    /// The newest last.
    fleets: Vec<(Oid, Arc<RenderedFleet>)>,
    last: HashMap<HostId, LastRender>,
}

/// A fleet at one commit.
struct RenderedFleet {
    files: RepositoryFiles,
    model: Model,
    found: BTreeSet<Finding>,
    hosts: BTreeMap<HostId, Surveyed>,
}

impl FleetRenders {
    /// Those of the repository in this folder.
    pub fn of(repository: impl Into<PathBuf>) -> FleetRenders {
        FleetRenders { repository: repository.into(), known: Mutex::default() }
    }

    /// Judges by these facts.
    pub fn by<'a>(&'a self, facts: &'a FactsOfFleet) -> EffectsByFacts<'a> {
        // What was rendered by others does not count; hosts that read nothing of it are not rendered again.
        self.known.lock().unwrap_or_else(PoisonError::into_inner).fleets.clear();
        EffectsByFacts { renders: self, facts }
    }

    fn at(&self, commit: Oid, facts: &FactsOfFleet) -> Result<Arc<RenderedFleet>, EffectsUnknown> {
        let known = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = known.fleets.iter().position(|(id, _)| *id == commit) {
            let fleet = known.fleets.remove(index);
            known.fleets.push(fleet.clone());
            return Ok(fleet.1);
        }
        let unknown = |error: &dyn std::error::Error| EffectsUnknown(format!("{commit} cannot be rendered: {error}"));
        let files = list_revision(&self.repository, &commit.to_string()).map_err(|error| unknown(&error))?;
        let (model, mut found) = load_model(&files, &mut known.cache);
        let hosts = survey(&model, facts, &known.last).map_err(|error| unknown(&error))?;
        found.extend(findings_of(&hosts));
        known.last = hosts.iter().map(|(id, host)| (id.clone(), host.as_last())).collect();
        let fleet = Arc::new(RenderedFleet { files, model, found: found.into_iter().collect(), hosts });
        if known.fleets.len() == KEPT {
            known.fleets.remove(0);
        }
        known.fleets.push((commit, fleet.clone()));
        Ok(fleet)
    }
}

impl fmt::Debug for FleetRenders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the fleets of {}", self.repository.display())
    }
}

/// [`FleetRenders`] by what hosts have reported.
#[derive(Debug)]
pub struct EffectsByFacts<'a> {
    renders: &'a FleetRenders,
    facts: &'a FactsOfFleet,
}

impl RenderEffects for EffectsByFacts<'_> {
    fn effects_between(&self, before: Oid, after: Oid, policy: Oid) -> Result<Effects, EffectsUnknown> {
        let [before, after, policy] = [before, after, policy].map(|commit| self.renders.at(commit, self.facts));
        let comparison = Comparison { before: &*before?, after: &*after?, facts: self.facts };
        comparison.effects(&policy?.model)
    }
}

struct Comparison<'a> {
    before: &'a RenderedFleet,
    after: &'a RenderedFleet,
    facts: &'a FactsOfFleet,
}

/// What a host has at one commit.
#[derive(PartialEq, Eq)]
enum Rendered {
    /// Nothing: there is no such host.
    Nothing,
    /// What comes to this digest.
    Content(Sha256Digest),
    /// It waits or is faulty.
    Unknown,
}

impl Comparison<'_> {
    fn effects(&self, policy: &Model) -> Result<Effects, EffectsUnknown> {
        if let Some(fault) = self.after.found.difference(&self.before.found).next() {
            return Err(EffectsUnknown(fault.to_string()));
        }
        let changed = changed_files(&self.before.files, &self.after.files);
        let ids: BTreeSet<&HostId> = self.models().into_iter().flat_map(Model::hosts).map(|host| &host.id).collect();
        let some_host_differs = ids.iter().any(|id| self.host_differs(id));
        let mut effects = Effects::new();
        for id in ids {
            let models = self.models().into_iter().chain([policy]);
            let labels: Vec<HostLabels> = models.filter_map(|model| Some(model.host(id)?.labels.clone())).collect();
            let mut add = |part| _ = effects.insert(Effect { host: id.clone(), part }, labels.clone());
            if self.host_differs(id) {
                add(Part::Host);
            }
            match (self.before.rendered(id), self.after.rendered(id)) {
                (Rendered::Unknown, _) | (_, Rendered::Unknown) => {
                    if some_host_differs || self.models().iter().any(|model| could_read(model, id, &changed)) {
                        add(Part::Unrendered);
                    }
                }
                (before, after) if before == after => {}
                _ => self.differing(id).into_iter().for_each(|address| add(Part::Resource(address))),
            }
        }
        Ok(effects)
    }

    fn models(&self) -> [&Model; 2] {
        [&self.before.model, &self.after.model]
    }

    /// Whether what is declared of a host differs, beside what it is to have. Tokens that make a machine this host are
    /// as good as its key.
    fn host_differs(&self, id: &HostId) -> bool {
        let declared = |model: &Model| {
            let host = model.host(id)?;
            let keys = (host.key, host.recipient.clone(), host.revoked_keys.clone());
            let tokens: Vec<EnrolmentToken> =
                model.tokens().iter().filter(|token| token.selects(host)).cloned().collect();
            Some((host.environment.clone(), host.labels.clone(), keys, host.on_retire, tokens))
        };
        declared(&self.before.model) != declared(&self.after.model)
    }

    /// The addresses at which a host has another resource, or only at one side has one.
    fn differing(&self, id: &HostId) -> BTreeSet<Address> {
        let [before, after] = self.models().map(|model| -> BTreeMap<Address, Resource> {
            let rendered = render_host(model, id, self.facts).ok();
            let resources = rendered.map(|host| host.resources).unwrap_or_default();
            resources.into_iter().map(|resource| (resource.address.clone(), resource)).collect()
        });
        let addresses: BTreeSet<&Address> = before.keys().chain(after.keys()).collect();
        addresses.into_iter().filter(|address| before.get(address) != after.get(address)).cloned().collect()
    }
}

impl RenderedFleet {
    fn rendered(&self, id: &HostId) -> Rendered {
        let environment = self.model.host(id).map(|host| host.environment.as_ref());
        if environment.is_some_and(|name| self.found.iter().any(|finding| finding.holds_environment(name))) {
            return Rendered::Unknown;
        }
        match self.hosts.get(id).map(|host| &host.result) {
            None => Rendered::Nothing,
            Some(SurveyResult::Content(digest)) => Rendered::Content(*digest),
            Some(SurveyResult::Waiting | SurveyResult::Faulty(_)) => Rendered::Unknown,
        }
    }
}

/// The files that differ.
fn changed_files<'a>(before: &'a RepositoryFiles, after: &'a RepositoryFiles) -> BTreeSet<&'a str> {
    let only_in = |one: &'a RepositoryFiles, other: &'a RepositoryFiles| {
        one.entries()
            .filter(|(path, entry)| other.entry(path).map(|(_, entry)| entry) != Some(*entry))
            .map(|(path, _)| path.as_ref())
    };
    only_in(before, after).chain(only_in(after, before)).collect()
}

/// Whether the render of a host could ever read one of these files, whatever facts are reported. Of other hosts it
/// reads what is declared of them, which is compared apart.
fn could_read(model: &Model, id: &HostId, changed: &BTreeSet<&str>) -> bool {
    let Some(host) = model.host(id) else { return false };
    let assignments = host.base.under(&host.layer).assignments;
    let assigned = assignments.as_map().map_or(&[][..], Map::entries).iter().map(application_of);
    let assigned: BTreeSet<Arc<str>> = assigned.collect();
    changed.iter().any(|path| match path.split('/').collect::<Vec<_>>()[..] {
        ["policy" | "enrolment", ..] => false,
        ["applications", application, ..] => assigned.contains(application),
        ["environments", environment, "hosts", file] => {
            environment == &*host.environment && file.strip_suffix(".yaml") == Some(id.as_str())
        }
        ["environments", environment, ..] => environment == &*host.environment,
        _ => true,
    })
}

#[cfg(test)]
mod tests;
