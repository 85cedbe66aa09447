//! How the messages of a host change its status.

use std::collections::BTreeMap;

use muster_schema::Timestamp;
use muster_schema::breakglass::BreakGlassReport;
use muster_schema::report::{Applied, ExceptionReport, Report, ResourceReport};
use muster_schema::state::{Health, ResourceState};

use super::{FactsRecord, HostStatus, MAX_TRANSITIONS};

#[cfg(test)]
mod tests;

/// How many refusals of a host are kept.
const MAX_REJECTIONS: usize = 10;

/// What a message did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Folded {
    /// The status changed in something that is committed.
    Changed,
    /// Nothing but the time of last contact changed.
    Unchanged,
    /// It was folded before; acknowledge it again.
    Duplicate,
}

/// Folds the report that message `seq` of the host carries, at `now`.
///
/// Messages of one host arrive in order; one that was folded before changes nothing.
pub fn fold_report(host: &mut HostStatus, seq: u64, report: Report, now: Timestamp) -> Folded {
    host.last_contact = Some(now);
    if seq <= host.report_seq {
        return Folded::Duplicate;
    }
    let before = Told::of(host);
    let Report {
        applied,
        health,
        reason,
        message,
        counts,
        deviations,
        exceptions,
        transitions,
        rejections,
        retired,
        break_glass,
    } = report;
    let news = !transitions.is_empty() || !rejections.is_empty() || retired != host.retirement_done;
    host.report_seq = seq;
    host.applied = applied;
    host.break_glass = break_glass;
    host.reported = Some((health, reason, message));
    host.counts = counts;
    host.deviations = deviations;
    host.exceptions = exceptions;
    // A report that is sent again after a crash may repeat what an earlier one told.
    let last = host.transitions.back().map_or(0, |transition| transition.seq);
    host.transitions.extend(transitions.into_iter().filter(|transition| transition.seq > last));
    host.rejections.extend(rejections);
    drop_oldest(&mut host.transitions, MAX_TRANSITIONS);
    drop_oldest(&mut host.rejections, MAX_REJECTIONS);
    host.retirement_done = retired;
    if news || before != Told::of(host) { Folded::Changed } else { Folded::Unchanged }
}

/// What a report tells anew each time.
#[derive(PartialEq)]
struct Told {
    applied: Option<Applied>,
    break_glass: Option<BreakGlassReport>,
    reported: Option<(Health, String, String)>,
    counts: BTreeMap<ResourceState, u32>,
    deviations: Vec<ResourceReport>,
    exceptions: Vec<ExceptionReport>,
}

impl Told {
    fn of(host: &HostStatus) -> Told {
        Told {
            applied: host.applied.clone(),
            break_glass: host.break_glass.clone(),
            reported: host.reported.clone(),
            counts: host.counts.clone(),
            deviations: host.deviations.clone(),
            exceptions: host.exceptions.clone(),
        }
    }
}

/// Folds facts that message `seq` of the host carries, at `now`.
pub fn fold_facts(host: &mut HostStatus, seq: u64, facts: FactsRecord, now: Timestamp) -> Folded {
    host.last_contact = Some(now);
    if seq <= host.facts_seq {
        return Folded::Duplicate;
    }
    host.facts_seq = seq;
    if host.facts.as_ref().is_some_and(|held| held.body == facts.body) {
        return Folded::Unchanged;
    }
    host.facts = Some(facts);
    Folded::Changed
}

fn drop_oldest<T>(queue: &mut std::collections::VecDeque<T>, keep: usize) {
    queue.drain(..queue.len().saturating_sub(keep));
}
