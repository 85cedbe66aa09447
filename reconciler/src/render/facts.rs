//! What the hosts of a fleet have reported of themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use muster_schema::HostId;
use muster_schema::facts::Facts;

/// The facts of all hosts that have reported. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct FactsOfFleet(Arc<BTreeMap<HostId, Arc<Facts>>>);

impl FactsOfFleet {
    /// The facts of a host, if it has reported.
    pub fn of(&self, host: &HostId) -> Option<&Arc<Facts>> {
        self.0.get(host)
    }

    /// Whether a host has reported.
    pub fn has_reported(&self, host: &HostId) -> bool {
        self.0.contains_key(host)
    }

    /// Notes what a host reported.
    pub fn insert(&mut self, host: HostId, facts: Facts) {
        Arc::make_mut(&mut self.0).insert(host, Arc::new(facts));
    }

    /// Forgets a host.
    pub fn remove(&mut self, host: &HostId) {
        Arc::make_mut(&mut self.0).remove(host);
    }
}

impl FromIterator<(HostId, Facts)> for FactsOfFleet {
    fn from_iter<I: IntoIterator<Item = (HostId, Facts)>>(reported: I) -> FactsOfFleet {
        let facts = reported.into_iter().map(|(host, facts)| (host, Arc::new(facts)));
        FactsOfFleet(Arc::new(facts.collect()))
    }
}

/// A fact that holds a value; null where the host reported that there is none.
/// None for the names of groups of facts.
pub(super) fn value_of_fact(facts: &Facts, name: &str) -> Option<Value> {
    Some(match name {
        "os.family" => Value::from(facts.os.family.as_str()),
        "os.id" => Value::from(facts.os.id.as_str()),
        "os.version" => Value::from(facts.os.version.as_deref()),
        "os.codename" => Value::from(facts.os.codename.as_deref()),
        "arch" => Value::from(facts.arch.as_str()),
        "cpus" => Value::from(facts.cpus),
        "memory_mib" => Value::from(facts.memory_mib),
        "hostname" => Value::from(facts.hostname.as_str()),
        "address" => Value::from(facts.address.map(|address| address.to_string())),
        "addresses" => facts.addresses.iter().map(|address| Value::from(address.to_string())).collect(),
        "virtualisation" => Value::from(facts.virtualisation.as_deref()),
        _ => return None,
    })
}
