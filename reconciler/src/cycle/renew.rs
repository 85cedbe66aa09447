//! Heads are short-lived: they are issued anew long before they end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use muster_schema::head::Head;
use muster_schema::manifest::HostIdentity;
use muster_schema::{HostId, Timestamp};

use super::{CycleError, Orchestrator};
use crate::bundle::{SignedHead, renew_head, sign_head};
use crate::io::clock;
use crate::status::HostStatus;

/// A head is renewed when this share of its life is over; the rest is the time
/// that an orchestrator may be down before hosts hold.
const RENEW_AFTER: f64 = 0.25;

/// Retired heads are renewed for so long, unless the host reported before.
const RETIRED_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The most heads that one call renews, so that renewals spread over time.
const MOST_AT_ONCE: usize = 500;

impl Orchestrator {
    /// Issues heads anew that are due, oldest first. They name the revision
    /// that their host is assigned to by now.
    ///
    /// # Errors
    /// When a signer or the tree fails.
    pub fn renew_heads(&mut self) -> Result<usize, CycleError> {
        let now = clock::now();
        let due_before = |head: &Head| {
            let life = head.expires.since(head.issued);
            now.since(head.issued) >= life.mul_f64(RENEW_AFTER)
        };
        let mut due: Vec<&Head> =
            self.heads.values().filter(|head| due_before(head) && self.is_live(head, now)).collect();
        due.sort_by_key(|head| head.issued);
        due.truncate(MOST_AT_ONCE);
        let renewed: Vec<SignedHead> = due.iter().map(|head| self.sign_renewed(head, now)).collect::<Result<_, _>>()?;
        self.publish_heads(&renewed)?;
        Ok(renewed.len())
    }

    /// Publishes anew for hosts that people gave a break-glass manifest meanwhile, above its serial: from then on they
    /// go by the repository again. Returns the hosts with something new.
    ///
    /// # Errors
    /// When a signer or the tree fails.
    pub fn take_over_again(&mut self) -> Result<Vec<HostId>, CycleError> {
        let overtaken = |(id, host): (&HostId, &HostStatus)| host.is_overtaken().then(|| id.clone());
        let hosts: BTreeSet<HostId> = self.state.fleet().hosts.iter().filter_map(overtaken).collect();
        if hosts.is_empty() {
            return Ok(Vec::new());
        }
        self.publish_hosts(&hosts, &BTreeMap::new())
    }

    /// A head that holds `nonce`, for the host that asks; nothing when it has none.
    ///
    /// # Errors
    /// When the signer fails.
    pub fn head_with_nonce(&self, host: &HostIdentity, nonce: &str) -> Result<Option<SignedHead>, CycleError> {
        let Some(head) = self.heads.get(&host.id).filter(|head| head.host == *host) else {
            return Ok(None);
        };
        let revision = self.revision_of(head);
        let head = renew_head(head, revision, clock::now(), self.config.head_life);
        Ok(Some(sign_head(Head { nonce: Some(nonce.to_owned()), ..head }, self.keys.fresh.as_ref())?))
    }

    pub(super) fn sign_renewed(&self, head: &Head, now: Timestamp) -> Result<SignedHead, CycleError> {
        Ok(sign_head(renew_head(head, self.revision_of(head), now, self.config.head_life), self.keys.fresh.as_ref())?)
    }

    /// The revision that a host is assigned to; a held host's content stays at
    /// the revision of its head.
    fn revision_of(&self, head: &Head) -> muster_schema::CommitId {
        let fleet = self.state.fleet();
        let host = fleet.hosts.get(&head.host.id).filter(|host| host.hold.is_none() && host.retired.is_none());
        host.and_then(|host| host.assigned.clone()).unwrap_or_else(|| head.revision.clone())
    }

    /// Whether a head is still worth renewing. One for a key that was taken back ends.
    fn is_live(&self, head: &Head, now: Timestamp) -> bool {
        let fleet = self.state.fleet();
        let Some(host) = fleet.hosts.get(&head.host.id) else { return false };
        match host.retired {
            None => host.key == Some(head.host.key),
            Some(since) => !host.retirement_done && now.since(since) < RETIRED_LIFE,
        }
    }
}
