//! What happened on the host, and when it is looked at.

use super::Worker;
use crate::watch::{Hurry, hurry_of};
use muster_schema::Address;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

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
        let complete = match hurry {
            Hurry::Never | Hurry::Everything => return,
            Hurry::Soon => false,
            Hurry::Now => true,
        };
        for address in watch.concerned(&event) {
            let patience = self.input.converger.patience(&address);
            match patience.pause(complete) {
                Duration::ZERO => {
                    self.later.forget(&address);
                    batch.now.insert(address);
                }
                pause => self.later.at(address, now + pause, patience),
            }
        }
    }
}
