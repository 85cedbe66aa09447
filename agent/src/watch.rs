//! Drift as an event: inotify on the folders that managed things lie in, and what systemd tells of units.
//!
//! Folders and not files are watched, because a file that is replaced takes its watch along; and the folders above
//! them, because one that is renamed takes all below along. What is a mount point is watched itself: the folder that
//! it covers is told nothing. Of a purged directory all folders below are watched, up to some. Our own changes are seen
//! too; looking at what is right costs little and changes nothing, so there is nothing to suppress.

mod culprits;
mod flap;
mod hurry;
mod later;
mod owners;
mod places;
mod retries;
mod services;
#[cfg(test)]
mod tests;

pub use culprits::Culprits;
pub use flap::{FLAP_REPAIRS, FLAP_WINDOW, FlapLimit};
pub use hurry::{Hurry, hurry_of};
pub use later::Later;
pub use retries::Retries;
pub use services::{WatchedUnits, watch_services};

use crate::host::HostPath;
use crate::io::inotify::WatchMask;
use crate::io::mounts::load_mounts;
use crate::resource::ANY_NAME;
use muster_schema::Address;
use notify::event::ModifyKind;
use notify::{ErrorKind, Event, EventKind, RecursiveMode, Watcher};
use owners::Owners;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is watched, and whom it concerns.
pub struct Watch {
    watcher: Box<dyn Watcher + Send>,
    mask: Option<WatchMask>,
    root: PathBuf,
    watched: BTreeSet<PathBuf>,
    /// What could not be watched; only looks find drift there.
    unwatched: BTreeSet<PathBuf>,
    owners: Arc<Owners>,
    /// Who makes the drift, where the kernel tells.
    culprits: Option<Culprits>,
    mounted: BTreeSet<PathBuf>,
    /// What was mounted when that was found.
    mounts: Option<Vec<u8>>,
}

impl Watch {
    /// Watches below `root`; `tell` is called on a thread of its own.
    ///
    /// # Errors
    /// When the system has no watches to give.
    pub fn begin(root: &Path, tell: impl Fn(notify::Result<Event>) + Send + 'static) -> notify::Result<Watch> {
        let (watcher, mask) = WatchMask::of_new(|| notify::recommended_watcher(tell))?;
        let mut watch = Watch { mask, ..Watch::by(root, Box::new(watcher)) };
        let culprits = Culprits::begin();
        watch.culprits = culprits.inspect_err(|error| tracing::info!(%error, "who makes drift stays unknown")).ok();
        Ok(watch)
    }

    fn by(root: &Path, watcher: Box<dyn Watcher + Send>) -> Watch {
        Watch {
            watcher,
            mask: None,
            root: root.to_owned(),
            watched: BTreeSet::new(),
            unwatched: BTreeSet::new(),
            owners: Arc::default(),
            culprits: None,
            mounted: BTreeSet::new(),
            mounts: None,
        }
    }

    /// Watches the places of these paths and no others.
    #[must_use = "what lies in new places is to be looked at"]
    pub fn set_paths(&mut self, owners: BTreeMap<HostPath, BTreeSet<Address>>) -> BTreeSet<Address> {
        self.owners = Arc::new(Owners::new(&self.root, owners));
        if let Some(culprits) = &self.culprits {
            culprits.set_owners(self.owners.clone());
        }
        self.mounts = None;
        self.renew_with_mounts()
    }

    /// As `renew`, and finds what was mounted over the paths since.
    #[must_use = "what lies in new places is to be looked at"]
    pub fn renew_with_mounts(&mut self) -> BTreeSet<Address> {
        let mounts = load_mounts();
        if mounts.is_none() || mounts != self.mounts {
            self.mounted = places::mount_points(&self.root, self.owners.paths());
            self.mounts = mounts;
        }
        self.renew()
    }

    /// Watches folders that appeared, and forgets those that went. Answers what lies in the new ones: it may have
    /// changed before they were watched.
    #[must_use = "what lies in new places is to be looked at"]
    pub fn renew(&mut self) -> BTreeSet<Address> {
        let nearest = places::nearest_folders(&self.root, self.owners.paths());
        let above = places::folders_above(&self.root, &nearest);
        let purged = self.owners.paths().filter(|path| path.name() == ANY_NAME);
        let below = places::folders_below(&self.root, purged);
        // Those first that tell the most, where there are not enough watches.
        let wanted = nearest.into_iter().chain(self.mounted.iter().cloned()).chain(above).chain(below);
        let wanted: Vec<PathBuf> = wanted.collect();
        let kept: BTreeSet<&PathBuf> = wanted.iter().collect();
        for gone in self.watched.iter().filter(|place| !kept.contains(place)) {
            // It may be gone already.
            let _ = self.watcher.unwatch(gone);
            self.culprits.iter().for_each(|culprits| culprits.unmark(gone));
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
                        self.mask.iter().for_each(|mask| mask.leave_out_reading(&place));
                        self.culprits.iter().for_each(|culprits| culprits.mark(&place));
                        unseen.extend(self.owners.at(&place));
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

    /// Who makes drift, where the kernel tells.
    pub fn culprits(&self) -> Option<&Culprits> {
        self.culprits.as_ref()
    }

    /// How many places could not be watched.
    pub fn unwatched_places(&self) -> usize {
        self.unwatched.len()
    }

    /// The resources whose drift no event tells of, because a place could not be watched.
    pub fn unwatched(&self) -> BTreeSet<Address> {
        self.unwatched.iter().flat_map(|place| self.owners.at(place)).collect()
    }

    /// The resources that an event may concern: those at its paths, and those below them.
    pub fn concerned(&mut self, event: &Event) -> BTreeSet<Address> {
        let moved = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        let mut addresses = BTreeSet::new();
        for path in &event.paths {
            if moved {
                self.forget_below(path);
            }
            addresses.extend(self.owners.at(path));
        }
        addresses
    }

    /// What moved or went took its watches along, and those of all below.
    fn forget_below(&mut self, path: &Path) {
        let moved: Vec<PathBuf> = self.watched.iter().filter(|place| place.starts_with(path)).cloned().collect();
        for place in moved {
            let _ = self.watcher.unwatch(&place);
            self.culprits.iter().for_each(|culprits| culprits.unmark(&place));
            self.watched.remove(&place);
        }
    }
}
