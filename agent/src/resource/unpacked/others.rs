//! What other resources have in the folder that something is unpacked into.

use super::COLLECTIONS;
use crate::host::HostPath;
use crate::plan::{Purpose, Target};
use muster_schema::resource::Existence;
use muster_schema::{Address, Collection};
use std::collections::BTreeSet;

/// Paths that are managed by other resources.
#[derive(Default)]
pub(super) struct Others {
    whole: BTreeSet<String>,
    edited: BTreeSet<String>,
    leaving: BTreeSet<String>,
    unpacked: Vec<(String, Address)>,
}

impl Others {
    /// Those of all targets but its own. What leaves has no say any more.
    pub(super) fn of(targets: &[Target], own: &Address) -> Others {
        let mut others = Others::default();
        for target in targets {
            if target.purpose == Purpose::Leave {
                others.leaving.extend(target.resource.paths());
                continue;
            }
            let address = target.address();
            if address == own {
                continue;
            }
            if COLLECTIONS.contains(&address.collection()) && target.resource.meta.state != Existence::Absent {
                others.unpacked.extend(target.resource.spec.own_path().map(|dest| (dest.to_owned(), address.clone())));
            }
            let is_folder = address.collection() == Collection::Directories;
            let paths = if is_folder { &mut others.edited } else { &mut others.whole };
            paths.extend(target.resource.paths());
            others.edited.extend(target.resource.spec.edited_path().map(str::to_owned));
        }
        others
    }

    /// What else is unpacked into the same folder.
    pub(super) fn rival(&self, dest: &HostPath) -> Option<&Address> {
        self.unpacked.iter().find(|(other, _)| other == dest.as_str()).map(|(_, address)| address)
    }

    /// Whether another resource says all of what stands there.
    pub(super) fn have(&self, path: &HostPath) -> bool {
        self.whole.contains(path.as_str())
    }

    /// Whether another resource is about to give it up. It goes back to what it found first.
    pub(super) fn leave(&self, path: &HostPath) -> bool {
        self.leaving.contains(path.as_str())
    }

    /// Whether another resource changes it, so that it is to be there and no more.
    pub(super) fn change(&self, path: &HostPath) -> bool {
        self.edited.contains(path.as_str())
    }
}
