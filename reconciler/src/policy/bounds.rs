//! How far something reaches over hosts and collections.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use muster_schema::Collection;
use muster_schema::document::Selector;

/// The labels of a host, its environment's among them.
pub type HostLabels = Arc<BTreeMap<Arc<str>, Arc<str>>>;

/// Some hosts and some collections; all where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The hosts that are meant.
    pub hosts: Option<Selector>,
    /// The collections that are meant.
    pub collections: Option<Vec<Collection>>,
}

impl Bounds {
    /// Whether everything is meant.
    pub fn are_none(&self) -> bool {
        self.hosts.is_none() && self.collections.is_none()
    }

    /// Whether a host is meant that has, or had, each of these labels.
    pub fn hold_host(&self, labels: &[HostLabels]) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| labels.iter().all(|labels| hosts.selects(labels)))
    }

    /// Whether a collection is meant; `None` is what is of no collection, or of one that is not known.
    pub fn hold_collection(&self, collection: Option<Collection>) -> bool {
        let is_named = |named: &Vec<Collection>| collection.is_some_and(|one| named.contains(&one));
        self.collections.as_ref().is_none_or(is_named)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Some(hosts) => write!(f, "hosts of '{hosts}'")?,
            None => f.write_str("all hosts")?,
        }
        for (index, collection) in self.collections.iter().flatten().enumerate() {
            write!(f, "{}{collection}", if index == 0 { ", in " } else { ", " })?;
        }
        Ok(())
    }
}
