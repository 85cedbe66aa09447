//! A plan in words.

use super::{ContactRule, Plan, Purpose, Schedule, Target, Verdict};
use muster_schema::Address;

/// What would be done, in the order in which it would be done, and what stays as it is and should not.
pub fn describe_changes<'a>(
    schedule: &'a Schedule,
    plan: &'a Plan,
    contact: ContactRule<'a>,
) -> impl Iterator<Item = (&'a Address, String)> {
    schedule.order.stages.iter().flatten().filter_map(move |at| {
        let target = schedule.targets.get(*at)?;
        Some((target.address(), describe_verdict(target, plan.get(*at)?.as_ref()?, contact)?))
    })
}

/// What would become of one target; none where nothing.
pub fn describe_verdict(target: &Target, verdict: &Verdict, contact: ContactRule<'_>) -> Option<String> {
    let what = describe(target, verdict)?;
    let within = contact.asked_within(target).filter(|_| matches!(verdict, Verdict::Change(_) | Verdict::Retain(..)));
    Some(match within {
        Some(within) => {
            format!("{what} (risky: taken back unless the orchestrator is reached within {} s)", within.as_secs_f32())
        }
        None => what,
    })
}

fn describe(target: &Target, verdict: &Verdict) -> Option<String> {
    Some(match verdict {
        Verdict::Change(change) if target.purpose == Purpose::Leave => format!("will return to: {change}"),
        Verdict::Change(change) => change.to_string(),
        Verdict::Retain(_, reason) => format!("stays: {reason}"),
        Verdict::Report(change) => format!("differs, and is only reported: {change}"),
        Verdict::Blocked(reason) => format!("blocked: {reason}"),
        Verdict::Waits(reason) => format!("waits: {reason}"),
        Verdict::Failed(reason) => format!("cannot be read: {reason}"),
        Verdict::Unknown(reason) => format!("nobody can tell: {reason}"),
        Verdict::Held(reason) => format!("not tried again under this manifest: {reason}"),
        Verdict::Stays(reason) => format!("stays: {reason}"),
        Verdict::Waived(Some(differs)) => format!("waived: {differs}"),
        Verdict::Waived(None) => "waived".to_owned(),
        Verdict::Compliant | Verdict::NotApplicable => return None,
    })
}
