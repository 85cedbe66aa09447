//! What one look at the host means.

use super::{Purpose, Schedule, Target};
use crate::resource::{Change, ResourceError, State};
use std::borrow::Cow;

/// What is to happen with a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it is to be.
    Compliant,
    /// It differs, and is put right.
    Change(Change),
    /// It differs, and as far as can be seen it cannot be put right, for this reason. What of it is possible is done.
    Retain(Change, String),
    /// It differs, and is only reported.
    Report(Change),
    /// It differs, and must not be put right.
    Blocked(String),
    /// It differs, and it is not the time to put it right.
    Waits(String),
    /// It cannot be read.
    Failed(String),
    /// Nobody can tell how it is.
    Unknown(String),
    /// It differs, was put right and taken back, for this reason, and is not put right again under this manifest.
    Held(String),
    /// It or an attribute of it leaves, and stays as it is, for this reason.
    Stays(Cow<'static, str>),
    /// A waiver covers it; how it differs, if it does.
    Waived(Option<String>),
    /// It makes no sense here.
    NotApplicable,
}

/// The verdict on every target, in the order of the schedule's targets. `None`: it was not looked at.
pub type Plan = Vec<Option<Verdict>>;

/// Compares what was observed with what is wanted.
pub fn plan_changes(schedule: &Schedule, observed: &[Option<Result<State, ResourceError>>]) -> Plan {
    let judge = |(target, observed): (&Target, &Option<Result<State, ResourceError>>)| match observed {
        None => (target.purpose == Purpose::NotApplicable).then_some(Verdict::NotApplicable),
        Some(Ok(state)) => Some(judge_target(target, state)),
        Some(Err(error)) if target.purpose == Purpose::Waive => Some(Verdict::Waived(Some(error.chain()))),
        Some(Err(ResourceError::Blocked(reason))) => Some(Verdict::Blocked(reason.clone())),
        Some(Err(ResourceError::Unknown(reason))) => Some(Verdict::Unknown(reason.clone())),
        Some(Err(error)) => Some(Verdict::Failed(error.chain())),
    };
    schedule.targets.iter().zip(observed).map(judge).collect()
}

/// The verdict on one target.
pub(crate) fn judge_target(target: &Target, observed: &State) -> Verdict {
    let Some(wanted) = &target.wanted else {
        return Verdict::Stays(Cow::Borrowed(
            if target.resource.meta.on_remove == muster_schema::resource::OnRemove::Keep {
                "on_remove: keep"
            } else {
                "nothing was changed"
            },
        ));
    };
    match (target.resource_type().diff(wanted, observed), target.purpose) {
        (_, Purpose::NotApplicable) => Verdict::NotApplicable,
        (_, Purpose::Probe) => Verdict::Compliant,
        (Ok(change), Purpose::Waive) => Verdict::Waived(change.map(|change| change.to_string())),
        (Err(error), Purpose::Waive) => Verdict::Waived(Some(error.chain())),
        (Ok(None), _) => Verdict::Compliant,
        (Ok(Some(change)), Purpose::Audit) => Verdict::Report(change),
        (Ok(Some(change)), Purpose::Enforce | Purpose::Leave) => Verdict::Change(change),
        (Err(ResourceError::Waits(_)), Purpose::Audit) => {
            Verdict::Report(Change { before: observed.clone(), after: wanted.state.clone() })
        }
        (Err(ResourceError::Waits(reason)), _) => Verdict::Waits(reason),
        (Err(ResourceError::Blocked(reason)), _) => Verdict::Blocked(reason),
        (Err(ResourceError::Unknown(reason)), _) => Verdict::Unknown(reason),
        (Err(ResourceError::Retained(reason)), _) => Verdict::Stays(Cow::Owned(reason)),
        (Err(error), _) => Verdict::Failed(error.chain()),
    }
}
