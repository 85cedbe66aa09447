//! What was allowed and what was denied, as a chain of lines, and the checkpoints that keep its end. Pure.

mod chain;
mod entry;
mod limit;
#[cfg(test)]
mod tests;

pub use chain::{
    AuditFault, CHECKPOINT_PATH, Checkpoint, CheckpointSeen, check_end_of_log, check_log, digest_lines, is_chained,
    lines_before, load_entries,
};
pub use entry::{AuditEntry, Decision, chained_line};
pub use limit::EntryLimit;
