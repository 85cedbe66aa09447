//! A fleet of real hosts in a lab.

use anyhow::Result;

use super::Fleet;
use crate::broker::Broker;
use crate::lab::{GATEWAY, Host, Init, Lab};

/// Real hosts with agents, an orchestrator, a broker between them.
///
/// The parts are dropped in this order: what still runs loses nothing under it.
#[derive(Debug)]
pub struct RealFleet<const N: usize> {
    /// Repository and orchestrator.
    pub fleet: Fleet,
    /// The hosts, in the order of their names.
    pub hosts: [Host; N],
    /// The broker.
    pub broker: Broker,
    /// What the hosts stand in.
    pub lab: Lab,
}

impl<const N: usize> RealFleet<N> {
    /// Boots the hosts `names`, each with a running agent that nobody has approved yet, and starts broker and
    /// orchestrator. The calling thread stays in the lab.
    ///
    /// # Errors
    /// When a part does not come up.
    pub fn start(names: [&str; N]) -> Result<Self> {
        Self::start_with(Init::Systemd, names)
    }

    /// As [`RealFleet::start`], with hosts that have this init.
    ///
    /// # Errors
    /// When a part does not come up.
    pub fn start_with(init: Init, names: [&str; N]) -> Result<Self> {
        let mut lab = Lab::start()?;
        lab.set_init(init);
        let broker = Broker::start_on(GATEWAY.into())?;
        let mut fleet = Fleet::make(&lab.folder().join("fleet"), GATEWAY.into(), Some(&broker.url()))?;
        fleet.start()?;
        let hosts = lab.boot_all(names)?;
        for host in &hosts {
            fleet.install_agent(host)?;
        }
        Ok(Self { fleet, hosts, broker, lab })
    }

    /// Approves every host in `production`, by one commit each, with `text` in its file, and waits until all have
    /// what the last commit says. Gives that commit.
    ///
    /// # Errors
    /// When one does not get there.
    pub fn approve_all(&self, text: &str) -> Result<String> {
        let mut last = String::new();
        for host in &self.hosts {
            last = self.fleet.approve("production", host.name(), text)?;
        }
        for host in &self.hosts {
            self.fleet.wait_synced(host.name(), &last)?;
        }
        Ok(last)
    }
}
