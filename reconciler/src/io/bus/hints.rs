//! Hints: there is something new for a host. A lost one costs time, nothing
//! else, for agents look by themselves too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use muster_schema::HostId;
use tokio::sync::{Notify, watch};

use crate::io::clock;

/// The last hint of each host, and who waits for the next.
#[derive(Debug, Default)]
pub struct Hints {
    state: Mutex<State>,
    broker_due: Notify,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    hosts: HashMap<HostId, watch::Sender<u64>>,
    /// What the broker is still to be given; none where there is no broker.
    /// The last hint of a host says all, so this is bounded by the fleet.
    broker: Option<BTreeMap<HostId, u64>>,
}

impl Hints {
    /// Tells these hosts that there is something new, by whichever transport
    /// they use. Never waits and never fails.
    pub fn notify_hosts<'a>(&self, hosts: impl IntoIterator<Item = &'a HostId>) {
        let mut state = self.lock();
        // By the clock, so that numbers go on rising after a restart.
        state.last = clock::now().0.max(state.last.saturating_add(1));
        let hint = state.last;
        let State { hosts: known, broker, .. } = &mut *state;
        for host in hosts {
            match known.get(host) {
                Some(sender) => {
                    sender.send_replace(hint);
                }
                None => {
                    known.insert(host.clone(), watch::channel(hint).0);
                }
            }
            if let Some(unsent) = broker {
                unsent.insert(host.clone(), hint);
            }
        }
        self.broker_due.notify_one();
    }

    /// The next hint of `host` above `after`; none when there was none for `longest`.
    pub async fn wait(&self, host: &HostId, after: u64, longest: Duration) -> Option<u64> {
        let mut hints = {
            let mut state = self.lock();
            state.hosts.entry(host.clone()).or_insert_with(|| watch::channel(0).0).subscribe()
        };
        let hint = tokio::time::timeout(longest, hints.wait_for(|hint| *hint > after)).await;
        hint.ok()?.ok().map(|hint| *hint)
    }

    /// From now on hints are kept until the broker has them: our connection to
    /// it may be away while those of the agents stand.
    pub(super) fn keep_for_broker(&self) {
        self.lock().broker.get_or_insert_default();
    }

    /// What the broker is to be given, once there is something. It stays due
    /// until [`Hints::sent_to_broker`].
    pub(super) async fn due_for_broker(&self) -> Vec<(HostId, u64)> {
        loop {
            let due: Vec<(HostId, u64)> = self.lock().broker.iter().flatten().map(|(h, n)| (h.clone(), *n)).collect();
            if !due.is_empty() {
                return due;
            }
            self.broker_due.notified().await;
        }
    }

    /// The broker has this hint; a later one of the host stays due.
    pub(super) fn sent_to_broker(&self, host: &HostId, hint: u64) {
        let mut state = self.lock();
        if let Some(unsent) = state.broker.as_mut().filter(|unsent| unsent.get(host) == Some(&hint)) {
            unsent.remove(host);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
