//! Why apt or dpkg said no, as far as something can be done about it.

#[cfg(test)]
mod tests;

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Another program holds a lock: wait.
    Locked,
    /// dpkg was interrupted: let it finish.
    Interrupted,
    /// The lists of packages do not know it, or know a file that is gone: refresh them.
    Outdated,
    /// Anything else.
    Other,
}

const SIGNS: [(&str, Failure); 13] = [
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
];

/// Judges by what the program wrote; its language is English, because `LANG` is set so.
pub(super) fn judge_failure(output: &str) -> Failure {
    SIGNS.iter().find(|(sign, _)| output.contains(sign)).map_or(Failure::Other, |(_, failure)| *failure)
}

/// The reason in one line: apt's lines of error and what explains them, or else the last words.
pub(super) fn failure_reason(stdout: &str, stderr: &str) -> String {
    const MAX: usize = 600;
    let told = |line: &&str| {
        line.starts_with("E: ")
            || line.starts_with("dpkg: error")
            || line.contains(" : Depends: ")
            || line.contains("is a virtual package provided by")
    };
    let all = || stdout.lines().chain(stderr.lines()).map(str::trim);
    let mut lines: Vec<&str> = all().filter(told).collect();
    if lines.is_empty() {
        lines.extend(all().rfind(|line| !line.is_empty()));
    }
    lines.dedup();
    let text = lines.join("; ");
    text.chars().filter(|character| !character.is_control()).take(MAX).collect()
}
