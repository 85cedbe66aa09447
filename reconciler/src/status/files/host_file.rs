//! `hosts/<shard>/<id>.yaml`.

use std::collections::BTreeMap;

use muster_schema::breakglass::BreakGlassReport;
use muster_schema::condition::{Condition, ConditionStatus};
use muster_schema::culprit::MAX_CULPRIT_CHARACTERS;
use muster_schema::document::OnRetire;
use muster_schema::report::{Applied, ExceptionReport, Rejection, ResourceReport, Transition};
use muster_schema::state::{Cause, Contact, Health, ResourceState, Sync};
use muster_schema::{Address, CommitId, Culprit, HostId, PublicKey, Timestamp};
use serde::{Deserialize, Serialize};

use crate::status::inert_text::{MAX_CHARACTERS, inert_line};
use crate::status::readable_time::ReadableTime;
use crate::status::{Axes, CONTACT_STALE, Desired, Hold, HostStatus};

/// The most deviating resources that a file lists.
const MAX_DEVIATIONS: usize = 200;

/// What the file holds. The axes come first, for people; the rest is the status.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostFile {
    pub(super) host: HostId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    environment: Option<String>,
    sync: Sync,
    /// Health and reason: `Pending/WaitingForFacts`.
    health: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    message: String,
    contact: Contact,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) key: Option<PublicKey>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    revoked_keys: Vec<PublicKey>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    copied: Option<ReadableTime>,
    enrolled: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    desired: Option<Desired>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    applied: Option<Applied>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    break_glass: Option<BreakGlassLine>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    hold: Option<Hold>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    reported: Option<ReportedLine>,
    conditions: Vec<ConditionLine>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    counts: BTreeMap<ResourceState, u32>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    deviations: Vec<ResourceReport>,
    /// Deviating resources beyond those listed.
    #[serde(skip_serializing_if = "is_zero", default)]
    more_deviations: usize,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    exceptions: Vec<ExceptionLine>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    transitions: Vec<TransitionLine>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    rejections: Vec<RejectionLine>,
    report_seq: u64,
    facts_seq: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    retired: Option<ReadableTime>,
    #[serde(skip_serializing_if = "is_default", default)]
    on_retire: OnRetire,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    reverting: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    retirement_done: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportedLine {
    health: Health,
    reason: String,
    message: String,
}

/// Who signed what is in force there, as the host says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreakGlassLine {
    signers: Vec<PublicKey>,
    since: ReadableTime,
}

/// A condition with a time that people read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionLine {
    r#type: String,
    status: ConditionStatus,
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    observed_revision: Option<CommitId>,
    last_transition: ReadableTime,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransitionLine {
    seq: u64,
    at: ReadableTime,
    address: Address,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    from: Option<ResourceState>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    to: Option<ResourceState>,
    cause: Cause,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    by: Option<Culprit>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionLine {
    address: Address,
    until: ReadableTime,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    waived: bool,
    reason: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectionLine {
    at: ReadableTime,
    code: String,
    message: String,
}

impl HostFile {
    pub(super) fn of(id: &HostId, host: &HostStatus, axes: &Axes) -> Self {
        let health = if axes.reason.is_empty() || axes.reason == axes.health.to_string() {
            axes.health.to_string()
        } else {
            format!("{}/{}", axes.health, inert(&axes.reason))
        };
        Self {
            host: id.clone(),
            environment: host.environment.clone(),
            sync: axes.sync,
            health,
            message: inert(&axes.message),
            contact: axes.contact,
            labels: host.labels.clone(),
            key: host.key,
            revoked_keys: host.revoked_keys.clone(),
            copied: host.copied.map(ReadableTime),
            enrolled: host.enrolled,
            desired: host.desired.clone(),
            applied: host.applied.clone(),
            break_glass: host.break_glass.as_ref().map(BreakGlassLine::of),
            hold: host.hold.clone(),
            reported: host.reported.as_ref().map(|(health, reason, message)| ReportedLine {
                health: *health,
                reason: inert(reason),
                message: inert(message),
            }),
            conditions: host.conditions.iter().map(ConditionLine::of).collect(),
            counts: host.counts.clone(),
            deviations: host
                .deviations
                .iter()
                .take(MAX_DEVIATIONS)
                .map(|line| ResourceReport { message: inert(&line.message), ..line.clone() })
                .collect(),
            more_deviations: host.deviations.len().saturating_sub(MAX_DEVIATIONS),
            exceptions: host.exceptions.iter().take(MAX_DEVIATIONS).map(ExceptionLine::of).collect(),
            transitions: host.transitions.iter().map(TransitionLine::of).collect(),
            rejections: host.rejections.iter().map(RejectionLine::of).collect(),
            report_seq: host.report_seq,
            facts_seq: host.facts_seq,
            retired: host.retired.map(ReadableTime),
            on_retire: host.on_retire,
            reverting: host.reverting,
            retirement_done: host.retirement_done,
        }
    }

    /// The status as far as the file has it, read at `now`. A host that was not
    /// lost is stale until it is heard of again.
    pub(super) fn into_status(self, now: Timestamp) -> HostStatus {
        let stale = Timestamp(now.0.saturating_sub(CONTACT_STALE.as_millis() as u64 + 1));
        HostStatus {
            environment: self.environment,
            labels: self.labels,
            key: self.key,
            revoked_keys: self.revoked_keys,
            copied: self.copied.map(|time| time.0),
            recipient: None,
            enrolled: self.enrolled,
            enrolment: None,
            assigned: None,
            publishing: false,
            desired: self.desired,
            hold: self.hold,
            applied: self.applied,
            break_glass: self.break_glass.map(BreakGlassLine::into_report),
            reported: self.reported.map(|line| (line.health, line.reason, line.message)),
            conditions: self.conditions.into_iter().map(ConditionLine::into_condition).collect(),
            counts: self.counts,
            deviations: self.deviations,
            exceptions: self.exceptions.into_iter().map(ExceptionLine::into_exception).collect(),
            transitions: self.transitions.into_iter().map(TransitionLine::into_transition).collect(),
            rejections: self.rejections.into_iter().map(RejectionLine::into_rejection).collect(),
            facts: None,
            report_seq: self.report_seq,
            facts_seq: self.facts_seq,
            last_contact: (self.contact == Contact::Live).then_some(stale),
            retired: self.retired.map(|time| time.0),
            on_retire: self.on_retire,
            reverting: self.reverting,
            retirement_done: self.retirement_done,
        }
    }
}

impl BreakGlassLine {
    fn of(report: &BreakGlassReport) -> Self {
        BreakGlassLine { signers: report.signers.clone(), since: ReadableTime(report.since) }
    }

    fn into_report(self) -> BreakGlassReport {
        BreakGlassReport { signers: self.signers, since: self.since.0 }
    }
}

impl ConditionLine {
    pub(super) fn of(condition: &Condition) -> Self {
        Self {
            r#type: condition.r#type.clone(),
            status: condition.status,
            reason: inert(&condition.reason),
            message: inert(&condition.message),
            observed_revision: condition.observed_revision.clone(),
            last_transition: ReadableTime(condition.last_transition),
        }
    }

    pub(super) fn into_condition(self) -> Condition {
        Condition {
            r#type: self.r#type,
            status: self.status,
            reason: self.reason,
            message: self.message,
            observed_revision: self.observed_revision,
            last_transition: self.last_transition.0,
        }
    }
}

impl TransitionLine {
    fn of(transition: &Transition) -> Self {
        Self {
            seq: transition.seq,
            at: ReadableTime(transition.at),
            address: transition.address.clone(),
            from: transition.from,
            to: transition.to,
            cause: transition.cause,
            message: inert(&transition.message),
            by: transition.by.as_ref().map(inert_culprit),
        }
    }

    fn into_transition(self) -> Transition {
        Transition {
            seq: self.seq,
            address: self.address,
            from: self.from,
            to: self.to,
            cause: self.cause,
            message: self.message,
            at: self.at.0,
            by: self.by,
        }
    }
}

impl ExceptionLine {
    fn of(exception: &ExceptionReport) -> Self {
        Self {
            address: exception.address.clone(),
            until: ReadableTime(exception.until),
            waived: exception.waived,
            reason: inert(&exception.reason),
        }
    }

    fn into_exception(self) -> ExceptionReport {
        ExceptionReport { address: self.address, reason: self.reason, until: self.until.0, waived: self.waived }
    }
}

impl RejectionLine {
    fn of(rejection: &Rejection) -> Self {
        Self { at: ReadableTime(rejection.at), code: inert(&rejection.code), message: inert(&rejection.message) }
    }

    fn into_rejection(self) -> Rejection {
        Rejection { code: self.code, message: self.message, at: self.at.0 }
    }
}

fn inert(text: &str) -> String {
    inert_line(text, MAX_CHARACTERS)
}

fn inert_culprit(culprit: &Culprit) -> Culprit {
    culprit.map_texts(|text| inert_line(text, MAX_CULPRIT_CHARACTERS))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_default(on_retire: &OnRetire) -> bool {
    *on_retire == OnRetire::default()
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
