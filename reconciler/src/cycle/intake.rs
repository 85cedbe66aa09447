//! Taking in what agents say. Signatures, identity and replay were checked at the door.

use muster_schema::Timestamp;
use muster_schema::breakglass::BreakGlassReport;
use muster_schema::envelope::split_frame;
use muster_schema::manifest::HostIdentity;
use muster_schema::message::{Body, Message};
use muster_schema::report::{Applied, Report};
use muster_schema::state::{Cause, Health};

use super::facts::FactsChange;
use super::{CycleError, Orchestrator};
use crate::events::EventKind;
use crate::io::clock;
use crate::state::Counters;
use crate::status::{FactsRecord, Folded, HostStatus, fold_facts, fold_report};

impl Orchestrator {
    /// Keeps frames durably and folds them into the status. When this returns,
    /// they may be acknowledged.
    ///
    /// # Errors
    /// When the frames cannot be kept.
    pub fn take_frames(&mut self, frames: &[Vec<u8>]) -> Result<(), CycleError> {
        self.inbox.append(frames.iter().map(Vec::as_slice))?;
        frames.iter().for_each(|frame| self.fold_frame(frame));
        Ok(())
    }

    /// Folds one frame. It was verified when it came in.
    pub(super) fn fold_frame(&mut self, frame: &[u8]) {
        let Ok((signature, payload)) = split_frame(frame) else { return };
        let Ok(message) = Message::load(payload) else { return };
        let Some(sender) = message.sender().cloned() else { return };
        let now = clock::now();
        match message.body {
            Body::Report(report) => {
                self.fold_report(&sender, message.seq, *report, now);
            }
            Body::Facts(body) => {
                let record =
                    FactsRecord { body: *body, bytes: payload.to_vec(), signature: signature.text().to_owned() };
                self.fold_facts(&sender, message.seq, record, now);
            }
            _ => {}
        }
    }

    fn fold_report(&mut self, sender: &HostIdentity, seq: u64, report: Report, now: Timestamp) {
        let told = self.with_host(sender, |host| {
            let before = Before::of(host);
            (fold_report(host, seq, report, now), before)
        });
        let Some((folded, before)) = told else { return };
        Counters::add(&self.state.counters.reports, 1);
        if folded != Folded::Changed {
            return;
        }
        self.unsaved.insert(sender.id.clone());
        let change = |host: &mut HostStatus| {
            let change = before.break_glass != host.break_glass;
            change.then(|| (host.break_glass.clone(), host.applied.clone()))
        };
        if let Some((break_glass, applied)) = self.with_host(sender, change).flatten() {
            self.note_break_glass(&sender.id, break_glass.as_ref(), applied.as_ref());
        }
        let news = self.with_host(sender, |host| news(host, &before)).unwrap_or_default();
        for (kind, message) in news {
            self.state.events.push(now, kind, Some(sender.id.clone()), message);
        }
    }

    fn fold_facts(&mut self, sender: &HostIdentity, seq: u64, record: FactsRecord, now: Timestamp) {
        let facts = record.body.facts.clone();
        let first = !self.facts.has_reported(&sender.id);
        if self.with_host(sender, |host| fold_facts(host, seq, record, now)) == Some(Folded::Changed) {
            self.committed_facts.note(&sender.id, seq);
            self.unsaved.insert(sender.id.clone());
            self.facts.insert(sender.id.clone(), facts);
            self.facts_change = self.facts_change.max(if first { FactsChange::First } else { FactsChange::Again });
        }
    }

    /// A host was heard of.
    pub(super) fn note_contact(&self, sender: &HostIdentity) {
        let now = clock::now();
        self.with_host(sender, |host| host.last_contact = Some(now));
    }

    /// Does something with the status of a host, if it is the one of this key.
    fn with_host<T>(&self, sender: &HostIdentity, change: impl FnOnce(&mut HostStatus) -> T) -> Option<T> {
        let mut fleet = self.state.fleet_mut();
        let host = fleet.hosts.get_mut(&sender.id)?;
        let known =
            host.key == Some(sender.key) || host.desired.as_ref().is_some_and(|desired| desired.host.key == sender.key);
        known.then(|| change(host))
    }
}

/// What a report is compared with.
struct Before {
    applied: Option<Applied>,
    reported: Option<(Health, String, String)>,
    break_glass: Option<BreakGlassReport>,
    last_transition: u64,
}

impl Before {
    fn of(host: &HostStatus) -> Before {
        Before {
            applied: host.applied.clone(),
            reported: host.reported.clone(),
            break_glass: host.break_glass.clone(),
            last_transition: last_transition(host),
        }
    }
}

fn last_transition(host: &HostStatus) -> u64 {
    host.transitions.back().map_or(0, |transition| transition.seq)
}

/// What a folded report tells people.
fn news(host: &HostStatus, before: &Before) -> Vec<(EventKind, String)> {
    let Before { applied, reported, last_transition: last, .. } = before;
    let mut news = Vec::new();
    if let Some(now) = host.applied.as_ref().filter(|now| applied.as_ref() != Some(now)) {
        news.push((EventKind::HostApplied, format!("applied {}", now.revision.short())));
    }
    let drift = |transition: &&muster_schema::report::Transition| {
        transition.seq > *last && transition.cause == Cause::Corrective
    };
    for transition in host.transitions.iter().filter(drift) {
        let to = transition.to.map_or_else(|| "unmanaged".to_owned(), |state| state.to_string());
        let by = transition.by.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        news.push((EventKind::HostDrift, format!("{} {to}: {}, by {by}", transition.address, transition.message)));
    }
    if let Some((health, reason, message)) = host.reported.as_ref().filter(|now| reported.as_ref() != Some(now)) {
        news.push((EventKind::HostHealth, format!("{health}/{reason} {message}").trim().to_owned()));
    }
    news
}
