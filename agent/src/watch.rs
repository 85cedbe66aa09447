//! Drift as an event: inotify on the folders that managed things lie in, and what systemd tells of units.
//!
//! Folders and not files are watched, because a file that is replaced takes its watch along; and the folders above
//! them, because one that is renamed takes all below along. What is a mount point is watched itself: the folder that
//! it covers is told nothing. Our own changes are seen too; looking at what is right costs little and changes nothing,
//! so there is nothing to suppress.

mod flap;
mod hurry;
mod later;
mod places;
mod services;
#[cfg(test)]
mod tests;

pub use flap::{FLAP_REPAIRS, FLAP_WINDOW, FlapLimit};
pub use hurry::{Hurry, hurry_of};
pub use later::Later;
pub use services::{WatchedUnits, watch_services};

use crate::host::HostPath;
use muster_schema::Address;
use notify::event::ModifyKind;
use notify::{ErrorKind, Event, EventKind, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is watched, and whom it concerns.
pub struct Watch {
    watcher: Box<dyn Watcher + Send>,
    root: PathBuf,
    watched: BTreeSet<PathBuf>,
    /// What could not be watched; only looks find drift there.
    unwatched: BTreeSet<PathBuf>,
    owners: BTreeMap<HostPath, BTreeSet<Address>>,
    mounted: BTreeSet<PathBuf>,
}

impl Watch {
    /// Watches below `root`; `tell` is called on a thread of its own.
    ///
    /// # Errors
    /// When the system has no watches to give.
    pub fn begin(root: &Path, tell: impl Fn(notify::Result<Event>) + Send + 'static) -> notify::Result<Watch> {
        Ok(Watch::by(root, Box::new(notify::recommended_watcher(tell)?)))
    }

    fn by(root: &Path, watcher: Box<dyn Watcher + Send>) -> Watch {
        Watch {
            watcher,
            root: root.to_owned(),
            watched: BTreeSet::new(),
            unwatched: BTreeSet::new(),
            owners: BTreeMap::new(),
            mounted: BTreeSet::new(),
        }
    }

    /// Watches the places of these paths and no others.
    #[must_use = "what lies in new places is to be looked at"]
    pub fn set_paths(&mut self, owners: BTreeMap<HostPath, BTreeSet<Address>>) -> BTreeSet<Address> {
        self.owners = owners;
        self.mounted = places::mount_points(&self.root, self.owners.keys());
        self.renew()
    }

    /// Watches folders that appeared, and forgets those that went. Answers what lies in the new ones: it may have
    /// changed before they were watched.
    #[must_use = "what lies in new places is to be looked at"]
    pub fn renew(&mut self) -> BTreeSet<Address> {
        let nearest = places::nearest_folders(&self.root, self.owners.keys());
        let above = places::folders_above(&self.root, &nearest);
        // Those first that tell the most, where there are not enough watches.
        let wanted: Vec<PathBuf> = nearest.into_iter().chain(self.mounted.iter().cloned()).chain(above).collect();
        let kept: BTreeSet<&PathBuf> = wanted.iter().collect();
        for gone in self.watched.iter().filter(|place| !kept.contains(place)) {
            // It may be gone already.
            let _ = self.watcher.unwatch(gone);
        }
        self.watched.retain(|place| kept.contains(place));
        let mut unseen = BTreeSet::new();
        let before = std::mem::take(&mut self.unwatched);
        let mut exhausted = false;
        for place in wanted {
            if self.watched.contains(&place) {
                continue;
            }
            let refusal = if exhausted {
                None
            } else {
                match self.watcher.watch(&place, RecursiveMode::NonRecursive) {
                    Ok(()) => {
                        unseen.extend(self.owners_at(&place));
                        self.watched.insert(place);
                        continue;
                    }
                    Err(error) => Some(error),
                }
            };
            if let Some(error) = refusal {
                exhausted = matches!(error.kind, ErrorKind::MaxFilesWatch);
                if !before.contains(&place) {
                    tracing::warn!(place = %place.display(), %error, "not watched; what lies there is looked at instead");
                }
            }
            self.unwatched.insert(place);
        }
        unseen
    }

    /// How many places could not be watched.
    pub fn unwatched_places(&self) -> usize {
        self.unwatched.len()
    }

    /// The resources whose drift no event tells of, because a place could not be watched.
    pub fn unwatched(&self) -> BTreeSet<Address> {
        self.unwatched.iter().flat_map(|place| self.owners_at(place)).collect()
    }

    /// The resources that an event may concern: those at its paths, and those below them.
    pub fn concerned(&mut self, event: &Event) -> BTreeSet<Address> {
        let moved = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        let mut addresses = BTreeSet::new();
        for path in &event.paths {
            if moved {
                self.forget_below(path);
            }
            addresses.extend(self.owners_at(path));
        }
        addresses
    }

    /// What moved or went took its watches along, and those of all below.
    fn forget_below(&mut self, path: &Path) {
        let moved: Vec<PathBuf> = self.watched.iter().filter(|place| place.starts_with(path)).cloned().collect();
        for place in moved {
            let _ = self.watcher.unwatch(&place);
            self.watched.remove(&place);
        }
    }

    fn owners_at(&self, path: &Path) -> Vec<Address> {
        let Some(path) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) else { return Vec::new() };
        let Ok(path) = HostPath::new(&format!("/{}", path.trim_start_matches('/'))) else { return Vec::new() };
        let below = format!("{}/", path.as_str().trim_end_matches('/'));
        let at = self.owners.get(&path).into_iter();
        let children = self
            .owners
            .range(path.clone()..)
            .skip_while(|(other, _)| **other == path)
            .take_while(|(other, _)| other.as_str().starts_with(path.as_str()))
            .filter(|(other, _)| other.as_str().starts_with(&below))
            .map(|(_, addresses)| addresses);
        // A purged directory is told of any name in it.
        let above = std::iter::successors(path.parent(), HostPath::parent);
        let any = above.filter_map(|folder| self.owners.get(&folder.join("*").ok()?));
        at.chain(children).chain(any).flatten().cloned().collect()
    }
}
