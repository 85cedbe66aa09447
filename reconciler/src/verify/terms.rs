//! Under which circumstances commits are judged.

use muster_schema::{FleetName, Timestamp};

use super::effects::RenderEffects;

/// What a judgement of commits needs beside the repository.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// When the commits arrived here: keys are judged at this time.
    pub receipt: Timestamp,
    /// The fleet: an approval for another one does not count.
    pub fleet: &'a FleetName,
    /// The watched branch in full, as `refs/heads/main`: an approval for another one does not count.
    pub reference: &'a str,
    /// Tells what a commit brings about on hosts.
    pub effects: &'a dyn RenderEffects,
}
