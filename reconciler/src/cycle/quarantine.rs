//! Hosts that two machines say to be: they keep what they have until somebody looked at them.

use muster_schema::HostId;
use muster_schema::manifest::HostIdentity;
use muster_schema::state::Health;

use super::Orchestrator;
use crate::events::EventKind;
use crate::io::clock;
use crate::status::Hold;

/// A line of a commit's message that takes a host out of quarantine.
const RELEASE: &str = "Muster-Release:";

impl Orchestrator {
    /// Puts hosts into quarantine, as far as they still have that key.
    pub(super) fn quarantine(&mut self, copied: &[HostIdentity]) {
        for copy in copied {
            let now = clock::now();
            {
                let mut fleet = self.state.fleet_mut();
                let host = fleet.hosts.get_mut(&copy.id).filter(|host| host.key == Some(copy.key));
                let Some(host) = host.filter(|host| host.copied.is_none()) else { continue };
                (host.copied, host.hold) = (Some(now), Some(hold_for_copy()));
            }
            self.unsaved.insert(copy.id.clone());
            let message = "two machines speak with its key; it keeps what it has";
            self.state.events.push(now, EventKind::HostCopied, Some(copy.id.clone()), message);
        }
    }

    /// Takes hosts out of quarantine that signed commits name. What was found of them is forgotten: if there are two
    /// machines still, they are noticed again.
    pub(super) fn release<'m>(&mut self, messages: impl Iterator<Item = &'m str>) {
        let named = messages.flat_map(str::lines).filter_map(|line| line.strip_prefix(RELEASE)?.trim().parse().ok());
        for id in named.collect::<Vec<HostId>>() {
            let released = self.state.fleet_mut().hosts.get_mut(&id).and_then(|host| {
                host.copied.take()?;
                Some(HostIdentity { id: id.clone(), key: host.key? })
            });
            if released.is_some() {
                self.unsaved.insert(id);
            }
            self.released.extend(released);
        }
    }
}

/// Why such a host gets nothing new.
pub(super) fn hold_for_copy() -> Hold {
    let message = "two machines speak with its key: stop one and 'muster host release' it, or re-key it";
    Hold { health: Health::Degraded, reason: "CloneSuspected".into(), message: message.into() }
}
