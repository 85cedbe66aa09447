//! The published tree is pruned once a day, beside the loop.

use std::collections::HashSet;
use std::time::{Duration, UNIX_EPOCH};

use super::Orchestrator;
use crate::io::clock;

/// A head counts for a day after it was kept last.
const MARGIN: Duration = Duration::from_secs(2 * 24 * 60 * 60);

impl Orchestrator {
    /// Removes what no head names for as long as the archive goes back, and no agent fetches any more.
    pub(super) fn prune_tree(&self) {
        let waiting: HashSet<_> = self.awaiting.values().map(|bundle| bundle.manifest.digest()).collect();
        let (tree, keep) = (self.tree.clone(), self.config.archive + MARGIN);
        let now = UNIX_EPOCH + Duration::from_millis(clock::now().0);
        tokio::task::spawn_blocking(move || match tree.prune(&waiting, keep, now) {
            Ok(pruned) if pruned.manifests + pruned.blobs == 0 => {}
            Ok(pruned) => {
                tracing::info!(manifests = pruned.manifests, blobs = pruned.blobs, "what no head names was removed");
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the published tree is not pruned"),
        });
    }
}
