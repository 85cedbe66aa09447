//! Names for people.

/// So many names say enough.
const MAX_SHOWN: usize = 20;

/// The names, and no more of them than people read.
pub(super) fn some_of(mut names: Vec<String>) -> Vec<String> {
    if let Some(more) = names.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
        names.truncate(MAX_SHOWN);
        names.push(format!("… and {more} more"));
    }
    names
}
