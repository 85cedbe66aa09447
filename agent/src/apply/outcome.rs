//! How it went with one resource.

use crate::plan::{Purpose, Target, Verdict};
use crate::resource::ResourceError;
use muster_schema::Address;
use muster_schema::state::{Cause, ResourceState};

/// What came of one resource in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The resource.
    pub address: Address,
    /// Its state; `None` when it is not managed any more.
    pub state: Option<ResourceState>,
    /// Why, or what was changed.
    pub message: String,
    /// Why it was dealt with.
    pub cause: Cause,
    /// Whether something was changed.
    pub changed: bool,
    /// Whether it is reported at all.
    pub reported: bool,
}

impl Outcome {
    /// An outcome that changed nothing.
    pub(super) fn unchanged(target: &Target, state: Option<ResourceState>, message: &str, cause: Cause) -> Outcome {
        Outcome {
            address: target.address().clone(),
            state,
            message: message.to_owned(),
            cause,
            changed: false,
            reported: !target.implicit,
        }
    }

    /// Something was changed, or gone back to.
    pub(super) fn changed(target: &Target, message: String, cause: Cause) -> Outcome {
        let state = (target.purpose != Purpose::Leave).then_some(ResourceState::Repaired);
        Outcome { changed: true, message, ..Outcome::unchanged(target, state, "", cause) }
    }

    /// It did not work.
    pub(crate) fn failed(target: &Target, error: &ResourceError, cause: Cause) -> Outcome {
        let state = match error {
            ResourceError::Blocked(_) => ResourceState::Blocked,
            ResourceError::Retained(_) => ResourceState::Retained,
            ResourceError::Waits(_) => ResourceState::Pending,
            ResourceError::Unknown(_) => ResourceState::Unknown,
            _ => ResourceState::Error,
        };
        Outcome::unchanged(target, Some(state), &error.chain(), cause)
    }
}

/// The outcome of a verdict that needs no work. Something that leaves and is as it was has left.
pub(super) fn of_verdict(target: &Target, verdict: &Verdict, cause: Cause) -> Option<Outcome> {
    let leaves = target.purpose == Purpose::Leave;
    let (state, message) = match verdict {
        Verdict::Change(_) | Verdict::Retain(..) => return None,
        // It is dropped from the ledger in its stage, in order.
        Verdict::Compliant | Verdict::Stays(_) if leaves => return None,
        Verdict::Compliant if !target.resource_type().can_tell() => of_untold(target),
        Verdict::Compliant => (ResourceState::Compliant, String::new()),
        Verdict::Stays(reason) => (ResourceState::Retained, reason.to_string()),
        Verdict::Waived(differs) => (ResourceState::Waived, waiver_message(target, differs.as_deref())),
        Verdict::Report(change) => (ResourceState::NonCompliant, change.to_string()),
        Verdict::Blocked(reason) => (ResourceState::Blocked, reason.clone()),
        Verdict::Waits(reason) => (ResourceState::Pending, reason.clone()),
        Verdict::Unknown(reason) => (ResourceState::Unknown, reason.clone()),
        Verdict::Failed(reason) | Verdict::Held(reason) => (ResourceState::Error, reason.clone()),
        Verdict::NotApplicable => (ResourceState::NotApplicable, "makes no sense under --root".to_owned()),
    };
    Some(Outcome::unchanged(target, Some(state), &message, cause))
}

/// Until when, why, and how it differs meanwhile.
fn waiver_message(target: &Target, differs: Option<&str>) -> String {
    let Some(exception) = &target.resource.exception else { return String::new() };
    let differs = differs.map(|text| format!("; differs: {text}")).unwrap_or_default();
    format!("until {}: {}{differs}", exception.until, exception.reason)
}

/// A command without a guard. One that only reacts has nothing to be right about.
fn of_untold(target: &Target) -> (ResourceState, String) {
    if target.resource.meta.run_on.is_empty() {
        (ResourceState::Unknown, "it has no guard that could tell".to_owned())
    } else {
        (ResourceState::NotApplicable, "runs only as a reaction".to_owned())
    }
}
