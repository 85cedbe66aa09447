//! What is kept for `muster attest`: published heads, and reports whose effects are committed.

use muster_schema::Timestamp;

use super::{CycleError, Orchestrator};
use crate::io::clock;
use crate::io::signer::Signer;
use crate::io::store::Batch;

impl Orchestrator {
    /// Publishes, and keeps the heads.
    ///
    /// # Errors
    /// When the tree or the archive fails.
    pub(super) fn publish_batch(&mut self, batch: &Batch) -> Result<(), CycleError> {
        self.tree.publish(batch)?;
        Ok(self.archive.keep_heads(batch.head_frames(), clock::now())?)
    }

    /// Keeps published heads that a crash kept from the archive.
    pub(super) fn keep_missing_heads(&mut self, now: Timestamp) -> Result<(), CycleError> {
        let key = self.keys.fresh.public_key().id();
        let mut frames = Vec::new();
        for host in self.heads.keys() {
            frames.extend(self.tree.load_head_frame(host, key)?);
        }
        Ok(self.archive.keep_missing_heads(frames, now)?)
    }

    /// Keeps the reports in the first `bytes` bytes of the inbox, and forgets them there.
    pub(super) fn shorten_inbox(&mut self, bytes: u64) -> Result<(), CycleError> {
        self.archive.keep_reports(&self.inbox.first(bytes)?, clock::now())?;
        Ok(self.inbox.drop_first(bytes)?)
    }
}
