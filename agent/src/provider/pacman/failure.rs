//! Why pacman said no.

use crate::host::ProgramOutput;
use crate::provider::package::{Failure, find_sign, reason_by, stdout_of};

const SIGNS: [(&str, Failure); 4] = [
    ("unable to lock database", Failure::Locked),
    ("target not found", Failure::Outdated),
    ("failed retrieving file", Failure::Outdated),
    ("invalid or corrupted package", Failure::Outdated),
];

pub(super) fn judge_failure(output: &ProgramOutput) -> Failure {
    find_sign(&SIGNS, output).unwrap_or(Failure::Other)
}

/// What still needs what is to go: `:: removing probe breaks dependency 'probe' required by leans`.
pub(super) fn refusal_of(output: &ProgramOutput) -> Option<String> {
    let (stdout, stderr) = (stdout_of(output), String::from_utf8_lossy(&output.stderr));
    let needed = |line: &str| {
        let (breaks, by) = line.rsplit_once(" required by ")?;
        breaks.contains(" breaks dependency ").then(|| by.trim().to_owned())
    };
    let needed: Vec<String> = stdout.lines().chain(stderr.lines()).filter_map(needed).collect();
    (!needed.is_empty()).then(|| format!("{} would be removed with it", needed.join(", ")))
}

/// The reason in one line: its errors and what explains them.
pub(super) fn failure_reason(output: &ProgramOutput) -> String {
    let tells = |line: &str| line.starts_with("error:") || (line.starts_with(":: ") && !line.contains('['));
    reason_by(tells, &stdout_of(output), &String::from_utf8_lossy(&output.stderr))
}
