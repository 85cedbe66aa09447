//! Renders every host of a new revision once, to find its faults and to see
//! whose content changes. Keeps digests only: a fleet's host sets would not fit.

use std::collections::BTreeMap;
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

/// Renders all hosts of `model` on all processors.
///
/// # Errors
/// When a host set cannot be written as JSON, or rendering panicked.
pub(super) fn survey(model: &Model, facts: &FactsOfFleet) -> Result<BTreeMap<HostId, Surveyed>, CycleError> {
    let ids: Vec<HostId> = model.hosts().map(|host| host.id.clone()).collect();
    let surveyed = on_all_processors(&ids, |id| survey_host(model, id, facts))?;
    Ok(ids.into_iter().zip(surveyed).collect())
}

/// Renders one host.
pub(super) fn survey_host(model: &Model, id: &HostId, facts: &FactsOfFleet) -> Result<Surveyed, CycleError> {
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
