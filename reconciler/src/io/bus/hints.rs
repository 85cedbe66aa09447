//! Hints: there is something new for a host. A lost one costs time, nothing
//! else, for agents look by themselves too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use muster_schema::HostId;
use tokio::sync::{mpsc, watch};

use crate::io::clock;

/// How many batches of hints wait for the broker; when it is away they are dropped.
const MAX_WAITING: usize = 64;

/// The last hint of each host, and who waits for the next.
#[derive(Debug, Default)]
pub struct Hints {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    hosts: HashMap<HostId, watch::Sender<u64>>,
    broker: Option<mpsc::Sender<Vec<(HostId, u64)>>>,
}

impl Hints {
    /// Tells these hosts that there is something new, by whichever transport
    /// they use. Never waits and never fails.
    pub fn notify_hosts<'a>(&self, hosts: impl IntoIterator<Item = &'a HostId>) {
        let mut state = self.lock();
        // By the clock, so that numbers go on rising after a restart.
        state.last = clock::now().0.max(state.last.saturating_add(1));
        let hint = state.last;
        let mut batch = Vec::new();
        for host in hosts {
            match state.hosts.get(host) {
                Some(sender) => {
                    sender.send_replace(hint);
                }
                None => {
                    state.hosts.insert(host.clone(), watch::channel(hint).0);
                }
            }
            batch.push((host.clone(), hint));
        }
        if let Some(broker) = &state.broker {
            // Full means that the broker is away: agents look when it is back.
            let _ = broker.try_send(batch);
        }
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

    /// From now on every batch of hints comes here too.
    pub(super) fn subscribe_broker(&self) -> mpsc::Receiver<Vec<(HostId, u64)>> {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        self.lock().broker = Some(sender);
        receiver
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
