//! Who waits for approval, and who proved both keys.

use std::collections::{BTreeMap, HashMap};

use muster_schema::{HostId, PublicKey};

use super::Orchestrator;
use crate::enrolment::PendingHost;
use crate::events::EventKind;
use crate::inbound::{ApprovedHost, ApprovedHosts};
use crate::io::bus::{EnrolledHost, Inbound};
use crate::io::clock;
use crate::status::{EnrolmentProof, HostStatus, Pending};

impl Orchestrator {
    /// Who may speak, by the newest verified revision; hosts that leave may say so, with the key that they had then.
    pub(super) fn approved_hosts(&self) -> ApprovedHosts {
        let fleet = self.state.fleet();
        let approved = |(id, host): (&HostId, &HostStatus)| {
            let (recipient, leaving) = (host.recipient.clone(), host.retired.is_some());
            Some(ApprovedHost { id: id.clone(), key: host.key?, recipient, leaving })
        };
        let approved: ApprovedHosts = fleet.hosts.iter().filter_map(approved).collect();
        approved.with_revoked(fleet.hosts.values().flat_map(|host| host.revoked_keys.iter().copied()))
    }

    /// Takes over what the door knows of enrolment.
    pub(super) fn take_enrolment(&mut self, door: &Inbound) {
        self.take_pending(door.pending());
        self.quarantine(&door.copied());
        let enrolled: HashMap<PublicKey, EnrolledHost> =
            door.enrolled().into_iter().map(|host| (host.key, host)).collect();
        let mut fleet = self.state.fleet_mut();
        for (id, host) in &mut fleet.hosts {
            let proof = host.key.and_then(|key| enrolled.get(&key));
            let proved = proof.is_some();
            if proved == host.enrolled {
                continue;
            }
            host.enrolled = proved;
            host.enrolment = proof.map(|proof| EnrolmentProof {
                recipient: proof.recipient.clone(),
                bytes: proof.answer.clone().into_bytes(),
                signature: proof.signature.clone(),
            });
            self.unsaved.insert(id.clone());
            if proved {
                let message = "enrolled: the holder of the approved key proved both keys";
                self.state.events.push(clock::now(), EventKind::EnrolmentDone, Some(id.clone()), message);
            }
        }
    }

    fn take_pending(&mut self, listed: Vec<PendingHost>) {
        let pending: BTreeMap<PublicKey, Pending> = listed
            .into_iter()
            .map(|PendingHost { key, announce, replaces, first_seen, .. }| {
                (key, Pending { announce, replaces, first_seen })
            })
            .collect();
        let before = std::mem::replace(&mut self.state.fleet_mut().pending, pending.clone());
        for (key, host) in pending.iter().filter(|(key, _)| !before.contains_key(*key)) {
            let what = match &host.replaces {
                Some(before) => format!("a new key of {}", before.id),
                None => format!("'{}'", host.announce.name),
            };
            let message = format!("{what} waits for approval; fingerprint {}", key.fingerprint());
            self.state.events.push(clock::now(), EventKind::EnrolmentPending, None, message);
            self.note_announced(key, &host.announce.name);
        }
        if before != pending {
            self.note_fleet_changed();
        }
    }
}
