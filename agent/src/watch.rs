//! Drift as an event: inotify on the folders that managed things lie in, and what systemd tells of units.
//!
//! Folders and not files are watched, because a file that is replaced takes its watch along. Our own changes are seen
//! too; looking at what is right costs little and changes nothing, so there is nothing to suppress.

mod flap;
mod hurry;
mod later;
mod services;

pub use flap::FlapLimit;
pub use hurry::{Hurry, hurry_of};
pub use later::Later;
pub use services::{WatchedUnits, watch_services};

use crate::host::HostPath;
use muster_schema::Address;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is watched, and whom it concerns.
pub struct Watch {
    watcher: RecommendedWatcher,
    root: PathBuf,
    watched: BTreeSet<PathBuf>,
    owners: BTreeMap<HostPath, BTreeSet<Address>>,
    /// A folder could not be watched; only sweeps find drift in it.
    pub incomplete: bool,
}

impl Watch {
    /// Watches below `root`; `tell` is called on a thread of its own.
    ///
    /// # Errors
    /// When the system has no watches to give.
    pub fn begin(root: &Path, tell: impl Fn(notify::Result<Event>) + Send + 'static) -> notify::Result<Watch> {
        let watcher = notify::recommended_watcher(tell)?;
        Ok(Watch {
            watcher,
            root: root.to_owned(),
            watched: BTreeSet::new(),
            owners: BTreeMap::new(),
            incomplete: false,
        })
    }

    /// Watches the folders of these paths and no others.
    #[must_use = "what lies in new folders is to be looked at"]
    pub fn set_paths(&mut self, owners: BTreeMap<HostPath, BTreeSet<Address>>) -> BTreeSet<Address> {
        self.owners = owners;
        self.renew()
    }

    /// Watches folders that appeared, and forgets those that went. Answers what lies in the new ones: it may have
    /// changed before they were watched.
    #[must_use = "what lies in new folders is to be looked at"]
    pub fn renew(&mut self) -> BTreeSet<Address> {
        let parents: BTreeSet<HostPath> = self.owners.keys().filter_map(HostPath::parent).collect();
        let wanted: BTreeSet<PathBuf> = parents.into_iter().filter_map(|folder| self.nearest_folder(folder)).collect();
        let mut unseen = BTreeSet::new();
        for gone in self.watched.difference(&wanted) {
            // It may be gone already.
            let _ = self.watcher.unwatch(gone);
        }
        self.watched.retain(|folder| wanted.contains(folder));
        self.incomplete = false;
        for folder in wanted {
            if self.watched.contains(&folder) {
                continue;
            }
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    unseen.extend(self.owners_at(&folder));
                    self.watched.insert(folder);
                }
                Err(error) => {
                    tracing::warn!(folder = %folder.display(), %error, "not watched; sweeps find drift there");
                    self.incomplete = true;
                }
            }
        }
        unseen
    }

    /// The resources that an event may concern: those at its paths, and those below them.
    pub fn concerned(&mut self, event: &Event) -> BTreeSet<Address> {
        let moved = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
        let mut addresses = BTreeSet::new();
        for path in &event.paths {
            if moved && self.watched.remove(path) {
                // The folder itself moved or went, and its watch with it.
                let _ = self.watcher.unwatch(path);
            }
            addresses.extend(self.owners_at(path));
        }
        addresses
    }

    fn owners_at(&self, path: &Path) -> Vec<Address> {
        let Some(path) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) else { return Vec::new() };
        let Ok(path) = HostPath::new(&format!("/{}", path.trim_start_matches('/'))) else { return Vec::new() };
        let below = format!("{}/", path.as_str());
        let at = self.owners.get(&path).into_iter();
        let children = self
            .owners
            .range(path.clone()..)
            .skip_while(|(other, _)| **other == path)
            .take_while(|(other, _)| other.as_str().starts_with(path.as_str()))
            .filter(|(other, _)| other.as_str().starts_with(&below))
            .map(|(_, addresses)| addresses);
        at.chain(children).flatten().cloned().collect()
    }

    /// The folder, or the nearest one above that is there.
    fn nearest_folder(&self, mut folder: HostPath) -> Option<PathBuf> {
        loop {
            let real = self.root.join(folder.relative());
            if is_folder(&real) {
                return Some(if folder.parent().is_none() { self.root.clone() } else { real });
            }
            folder = folder.parent()?;
        }
    }
}

fn is_folder(path: &Path) -> bool {
    rustix::fs::stat(path)
        .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory)
}
