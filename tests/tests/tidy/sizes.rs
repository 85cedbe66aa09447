//! Files stay small enough to be read in one go.

use crate::check;
use crate::source::sources;

const LIMIT: usize = 400;

/// Files that may be longer, each for its reason. Keep this list short.
const LONGER: &[(&str, &str)] = &[];

#[test]
fn files_have_at_most_400_lines() {
    let mut findings = Vec::new();
    for source in sources(&[".rs", ".sh", ".c"]) {
        let lines = source.text.lines().count();
        let named = LONGER.iter().any(|(path, _)| *path == source.path);
        if lines > LIMIT && !named {
            findings.push(format!("{}: {lines} lines", source.path));
        }
        if lines <= LIMIT && named {
            findings.push(format!("{}: {lines} lines, no longer an exception", source.path));
        }
    }
    check("files over 400 lines are split or named with a reason", &findings);
}

#[test]
fn the_median_file_is_short() {
    let mut lines: Vec<usize> = sources(&[".rs"]).iter().map(|source| source.text.lines().count()).collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!(median <= 150, "the median file has {median} lines");
}
