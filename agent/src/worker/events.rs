//! What happened on the host, and when it is looked at.

use super::Worker;
use crate::watch::{Hurry, hurry_of};
use muster_schema::{Address, Collection};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long a writer may take before its half-written file is looked at.
const WRITER_PATIENCE: Duration = Duration::from_millis(50);

/// What changes services and accounts does it in several steps.
pub(super) const STEPS_PATIENCE: Duration = Duration::from_millis(150);

/// How long the package database must rest before it is looked at: while somebody installs, half of it is there.
const INSTALLER_PATIENCE: Duration = Duration::from_secs(2);

/// What the events of one moment concern.
#[derive(Default)]
pub(super) struct EventBatch {
    pub(super) now: BTreeSet<Address>,
    pub(super) everything: bool,
    /// Who waits for the end of it.
    pub(super) asked: Vec<tokio::sync::oneshot::Sender<()>>,
}

impl Worker {
    pub(super) fn note_event(&mut self, event: notify::Result<notify::Event>, batch: &mut EventBatch) {
        let Some(watch) = &mut self.watch else { return };
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "watching failed; looking at everything");
                batch.everything = true;
                return;
            }
        };
        let hurry = hurry_of(&event);
        if hurry == Hurry::Everything {
            batch.everything = true;
        }
        let now = Instant::now();
        for address in watch.concerned(&event) {
            match (address.collection(), hurry) {
                (_, Hurry::Never | Hurry::Everything) => {}
                (Collection::Packages, _) => self.later.not_before(address, now + INSTALLER_PATIENCE),
                (Collection::Services | Collection::Users | Collection::Groups, _) => {
                    self.later.at(address, now + STEPS_PATIENCE);
                }
                (_, Hurry::Soon) => self.later.at(address, now + WRITER_PATIENCE),
                (_, Hurry::Now) => {
                    self.later.forget(&address);
                    batch.now.insert(address);
                }
            }
        }
    }
}
