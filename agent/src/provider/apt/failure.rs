//! Why apt or dpkg said no.

use crate::host::ProgramOutput;
use crate::provider::package::{Failure, find_sign, reason_by};

#[cfg(test)]
mod tests;

const SIGNS: [(&str, Failure); 14] = [
    ("Could not get lock", Failure::Locked),
    ("Unable to acquire the dpkg frontend lock", Failure::Locked),
    ("is another process using it", Failure::Locked),
    ("dpkg frontend lock was locked by another process", Failure::Locked),
    ("dpkg was interrupted", Failure::Interrupted),
    ("Unable to locate package", Failure::Outdated),
    ("Couldn't find any package by", Failure::Outdated),
    ("has no installation candidate", Failure::Outdated),
    ("' was not found", Failure::Outdated),
    ("Unable to fetch some archives", Failure::Outdated),
    ("Hash Sum mismatch", Failure::Outdated),
    ("have unmet dependencies", Failure::Outdated),
    ("404  Not Found", Failure::Outdated),
    ("The value '", Failure::Outdated),
];

const REFUSALS: [(&str, &str); 4] = [
    ("Held packages were changed", "a held package would change"),
    ("Packages were downgraded", "a version would go down, and allow_downgrade is not set"),
    ("this may be caused by held packages", "a held package stands against it"),
    ("Essential packages were removed", "an essential package would be removed"),
];

/// Judges by what the program wrote; its language is English, because `LANG` is set so.
pub(super) fn judge_failure(output: &ProgramOutput) -> Failure {
    find_sign(&SIGNS, output).unwrap_or(Failure::Other)
}

/// What apt itself refuses without leave.
pub(super) fn refusal_of(output: &ProgramOutput) -> Option<&'static str> {
    find_sign(&REFUSALS, output)
}

/// The reason in one line: apt's lines of error and what explains them, or else the last words.
pub(super) fn failure_reason(output: &ProgramOutput) -> String {
    let tells = |line: &str| {
        line.starts_with("E: ")
            || line.starts_with("dpkg: error")
            || line.contains(" : Depends: ")
            || line.contains("is a virtual package provided by")
    };
    reason_by(tells, &String::from_utf8_lossy(&output.stdout), &String::from_utf8_lossy(&output.stderr))
}
