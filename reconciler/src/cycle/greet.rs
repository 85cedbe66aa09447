//! After a start: hosts that may wait for something, or of which nothing is
//! known by now, are hinted at. The hints of before may have been lost with us.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use muster_schema::HostId;
use muster_schema::state::Contact;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Orchestrator;
use crate::io::clock;
use crate::status::HostStatus;

/// The most hosts that are hinted at together: each looks at once.
const MOST_AT_ONCE: usize = 500;

/// Between two such batches.
const PAUSE: Duration = Duration::from_secs(1);

/// Hosts that are still to be hinted at after a start.
pub(super) struct Greeting {
    /// They do not have what is published: all of these come first, at once.
    behind: Vec<HostId>,
    rest: VecDeque<HostId>,
    pace: Interval,
}

impl Greeting {
    pub(super) fn new(orchestrator: &Orchestrator) -> Self {
        let mut pace = interval(PAUSE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let behind = orchestrator.hosts_behind();
        let first: HashSet<&HostId> = behind.iter().collect();
        let rest = orchestrator.heads.keys().filter(|id| !first.contains(id)).cloned().collect();
        Greeting { behind, rest, pace }
    }

    /// The next hosts to be hinted at; waits for ever once all were.
    pub(super) async fn next(&mut self) -> Vec<HostId> {
        if !self.behind.is_empty() {
            return std::mem::take(&mut self.behind);
        }
        if self.rest.is_empty() {
            return std::future::pending().await;
        }
        self.pace.tick().await;
        self.rest.drain(..self.rest.len().min(MOST_AT_ONCE)).collect()
    }
}

impl Orchestrator {
    /// The hosts that by their last report do not have what is published.
    fn hosts_behind(&self) -> Vec<HostId> {
        let fleet = self.state.fleet();
        let heads = self.heads.keys();
        heads.filter(|id| fleet.hosts.get(*id).is_some_and(is_behind)).cloned().collect()
    }

    /// Those of `hosts` that are behind, or were not heard of since the start.
    pub(super) fn still_to_greet(&self, hosts: Vec<HostId>) -> Vec<HostId> {
        let (fleet, now) = (self.state.fleet(), clock::now());
        let waits = |host: &HostStatus| is_behind(host) || host.axes(now).contact != Contact::Live;
        hosts.into_iter().filter(|id| fleet.hosts.get(id).is_some_and(waits)).collect()
    }
}

fn is_behind(host: &HostStatus) -> bool {
    let has = host.applied.as_ref().map(|applied| applied.content);
    let differs = host.desired.as_ref().is_some_and(|desired| has != Some(desired.content));
    differs || (host.retired.is_some() && !host.retirement_done)
}
