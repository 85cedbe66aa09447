//! Why zypper said no.

use super::simulation::unescape;
use crate::host::ProgramOutput;
use crate::provider::package::{Failure, find_sign, reason_by, stdout_of};

/// `ZYPP_LOCKED` of zypper(8), "EXIT CODES".
const LOCKED: i32 = 7;
/// `INF_CAP_NOT_FOUND`: nothing of this name was found.
const NOT_FOUND: i32 = 104;
/// `INF_REBOOT_NEEDED` and `INF_RESTART_NEEDED`: it is done, and something is left to a person.
const DONE: [i32; 3] = [0, 102, 103];

const SIGNS: [(&str, Failure); 4] = [
    ("System management is locked", Failure::Locked),
    ("No provider of", Failure::Outdated),
    ("nothing provides", Failure::Outdated),
    ("not found on medium", Failure::Outdated),
];

const REFUSALS: [(&str, &str); 1] = [("remove lock to allow", "a held package stands against it")];

pub(super) fn succeeded(output: &ProgramOutput) -> bool {
    DONE.contains(&output.code)
}

pub(super) fn judge_failure(output: &ProgramOutput) -> Failure {
    match output.code {
        LOCKED => Failure::Locked,
        NOT_FOUND => Failure::Outdated,
        _ => find_sign(&SIGNS, output).unwrap_or(Failure::Other),
    }
}

pub(super) fn refusal_of(output: &ProgramOutput) -> Option<&'static str> {
    find_sign(&REFUSALS, output)
}

/// The reason in one line: its messages of error and the problems that it found, or else its last words.
pub(super) fn failure_reason(output: &ProgramOutput) -> String {
    let stdout: Vec<String> = stdout_of(output).lines().map(text_of).collect();
    let tells = |line: &str| line.starts_with("Problem:") || line.starts_with("No provider") || line.contains("locked");
    reason_by(tells, &stdout.join("\n"), &String::from_utf8_lossy(&output.stderr))
}

/// A line without its tags.
fn text_of(line: &str) -> String {
    let texts: String = line.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    unescape(texts.trim())
}
