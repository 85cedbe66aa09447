//! Finds the faults of a new revision, and whose content changes. Renders only the
//! hosts that read something that differs. Keeps digests only: a fleet's host sets
//! would not fit.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;

use muster_schema::manifest::content_digest;
use muster_schema::{HostId, SCHEMA_VERSION, Sha256Digest};

use super::CycleError;
use crate::bundle::BundleError;
use crate::model::{Finding, Model};
use crate::render::{FactsOfFleet, NotRendered, Reads, RenderedHost, merge_findings, render_host};

/// What one host's render comes to.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) result: SurveyResult,
    pub(super) reads: Reads,
}

#[derive(Debug)]
pub(super) enum SurveyResult {
    /// The digest of its content.
    Content(Sha256Digest),
    /// Facts are missing.
    Waiting,
    /// The repository is faulty for this host.
    Faulty(Vec<Finding>),
}

impl Surveyed {
    /// The same to be compared with later.
    pub(super) fn as_last(&self) -> LastRender {
        let content = match self.result {
            SurveyResult::Content(content) => Some(content),
            SurveyResult::Waiting | SurveyResult::Faulty(_) => None,
        };
        LastRender { content, reads: self.reads.clone() }
    }
}

/// What a host's last render came to.
#[derive(Debug)]
pub(super) struct LastRender {
    /// The digest of its content, where it came to one.
    pub(super) content: Option<Sha256Digest>,
    pub(super) reads: Reads,
}

impl LastRender {
    /// The content that the host would have again, if nothing that it read differs.
    /// A host that waits or is faulty is always rendered again.
    fn content_again(&self, model: &Model, facts: &FactsOfFleet) -> Option<Sha256Digest> {
        self.content.filter(|_| self.reads.still_hold(model, facts))
    }
}

/// Surveys all hosts of `model` on all processors; `last` is how they were rendered before.
///
/// # Errors
/// When a host set cannot be written as JSON, or rendering panicked.
pub(super) fn survey(
    model: &Model,
    facts: &FactsOfFleet,
    last: &HashMap<HostId, LastRender>,
) -> Result<BTreeMap<HostId, Surveyed>, CycleError> {
    let ids: Vec<HostId> = model.hosts().map(|host| host.id.clone()).collect();
    let surveyed = on_all_processors(&ids, |id| {
        let again = last.get(id).and_then(|last| Some((last.content_again(model, facts)?, last)));
        match again {
            Some((content, last)) => Ok(Surveyed { result: SurveyResult::Content(content), reads: last.reads.clone() }),
            None => survey_host(model, id, facts),
        }
    })?;
    Ok(ids.into_iter().zip(surveyed).collect())
}

/// Renders one host.
fn survey_host(model: &Model, id: &HostId, facts: &FactsOfFleet) -> Result<Surveyed, CycleError> {
    Ok(match render_host(model, id, facts) {
        Ok(RenderedHost { resources, reads, .. }) => {
            let digest = content_digest(&resources, SCHEMA_VERSION).map_err(BundleError::Json)?;
            Surveyed { result: SurveyResult::Content(digest), reads }
        }
        Err(NotRendered::Waiting { reads, .. }) => Surveyed { result: SurveyResult::Waiting, reads },
        Err(NotRendered::Faulty { found, reads }) => Surveyed { result: SurveyResult::Faulty(found), reads },
    })
}

/// Does `work` on every item, in parts of equal size, one for each processor.
pub(super) fn on_all_processors<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, CycleError> + Sync,
) -> Result<Vec<R>, CycleError> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(threads).max(1);
    let work = &work;
    let parts: Vec<Result<Vec<R>, CycleError>> = std::thread::scope(|scope| {
        let part = |part| {
            move || {
                let part: &[T] = part;
                part.iter().map(work).collect()
            }
        };
        let running: Vec<_> = items.chunks(share).map(|items| scope.spawn(part(items))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(Err(CycleError::RenderPanicked))).collect()
    });
    let mut results = Vec::with_capacity(items.len());
    for part in parts {
        results.extend(part?);
    }
    Ok(results)
}

/// The faults that a survey found, each once, with all that it holds back.
pub(super) fn findings_of(surveyed: &BTreeMap<HostId, Surveyed>) -> Vec<Finding> {
    let faulty = surveyed.values().filter_map(|host| match &host.result {
        SurveyResult::Faulty(found) => Some(found),
        SurveyResult::Content(_) | SurveyResult::Waiting => None,
    });
    merge_findings(faulty.flatten().cloned().collect())
}

#[cfg(test)]
mod tests;
