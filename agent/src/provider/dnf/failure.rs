//! Why dnf said no.

use crate::host::ProgramOutput;
use crate::provider::package::{Failure, find_sign, reason_by, stdout_of};

const SIGNS: [(&str, Failure); 9] = [
    ("Waiting for process with pid", Failure::Locked),
    ("Failed to obtain the transaction lock", Failure::Locked),
    ("can't create transaction lock", Failure::Locked),
    ("is already locked by another process", Failure::Locked),
    ("Unable to find a match", Failure::Outdated),
    ("No match for argument", Failure::Outdated),
    ("No package ", Failure::Outdated),
    ("Error downloading packages", Failure::Outdated),
    ("Cannot download", Failure::Outdated),
];

const REFUSALS: [(&str, &str); 1] =
    [("in the removal of the following protected packages", "a protected package would be removed")];

/// Whether dnf did what it was told. Its shell ends with code 0 however it went.
pub(super) fn succeeded(output: &ProgramOutput) -> bool {
    output.success() && !has_error(output)
}

/// Whether it came so far as to ask for leave, or found that there is nothing to do.
pub(super) fn simulated(output: &ProgramOutput) -> bool {
    let aborted = find_sign(&[("Operation aborted.", ())], output).is_some();
    aborted || (output.success() && !has_error(output))
}

pub(super) fn judge_failure(output: &ProgramOutput) -> Failure {
    find_sign(&SIGNS, output).unwrap_or(Failure::Other)
}

pub(super) fn refusal_of(output: &ProgramOutput) -> Option<&'static str> {
    find_sign(&REFUSALS, output)
}

/// The reason in one line: the lines of error and the problems that they tell of.
pub(super) fn failure_reason(output: &ProgramOutput) -> String {
    let tells = |line: &str| {
        line.starts_with("Error")
            || line.starts_with("Problem:")
            || line.starts_with("Problem 1:")
            || line.starts_with("- ")
            || line.starts_with("No match")
    };
    reason_by(tells, &stdout_of(output), &String::from_utf8_lossy(&output.stderr))
}

fn has_error(output: &ProgramOutput) -> bool {
    let error = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().any(|line| line.starts_with("Error"));
    error(&output.stderr) || error(&output.stdout)
}
