//! Names of files on their way into another's place.

const START: &str = ".muster-";
const END: &str = ".new";

/// The name of a candidate. No two of one folder have the same number.
pub(super) fn candidate_name(number: u64) -> String {
    format!("{START}{number:016x}{END}")
}

/// Whether this is the name of a candidate, so that those of an interrupted run are known again.
pub(crate) fn is_candidate(name: &str) -> bool {
    name.starts_with(START) && name.ends_with(END)
}
