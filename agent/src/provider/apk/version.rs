//! The order of apk's version numbers (apk-package(5)): `1.2.3b_rc1_p2-r4`.

use std::cmp::Ordering;

#[cfg(test)]
mod tests;

/// Suffixes in their order; between those before and those after stands a version without one.
const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// Compares two versions: numbers, letter, suffixes, release of the package.
pub(super) fn compare_versions(a: &str, b: &str) -> Ordering {
    let ((version_a, release_a), (version_b, release_b)) = (split_release(a), split_release(b));
    let (mut parts_a, mut parts_b) = (version_a.split('_'), version_b.split('_'));
    let (head_a, head_b) = (parts_a.next().unwrap_or_default(), parts_b.next().unwrap_or_default());
    let suffixes = || {
        let (mut a, mut b) = (parts_a.map(rank_of), parts_b.map(rank_of));
        loop {
            let (next_a, next_b) = (a.next(), b.next());
            if next_a.is_none() && next_b.is_none() {
                return Ordering::Equal;
            }
            let order = next_a.unwrap_or((0, 0)).cmp(&next_b.unwrap_or((0, 0)));
            if order.is_ne() {
                return order;
            }
        }
    };
    compare_heads(head_a, head_b).then_with(suffixes).then_with(|| release_a.cmp(&release_b))
}

fn split_release(version: &str) -> (&str, u64) {
    match version.rsplit_once("-r") {
        Some((version, release)) => (version, release.parse().unwrap_or(0)),
        None => (version, 0),
    }
}

/// The rank of a suffix, and its number; none ranks 0.
fn rank_of(suffix: &str) -> (i8, u64) {
    let end = suffix.find(|c: char| c.is_ascii_digit()).unwrap_or(suffix.len());
    let (name, number) = suffix.split_at(end);
    let at = |list: &[&str]| list.iter().position(|one| *one == name).and_then(|at| i8::try_from(at).ok());
    let rank = match (at(&BEFORE), at(&AFTER)) {
        (Some(at), _) => at - 4,
        (None, Some(at)) => at + 1,
        (None, None) => 0,
    };
    (rank, number.parse().unwrap_or(0))
}

/// Numbers with dots between, and maybe a letter behind.
fn compare_heads(a: &str, b: &str) -> Ordering {
    let split = |text: &str| {
        let letter = text.chars().last().filter(char::is_ascii_alphabetic);
        (text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).to_owned(), letter)
    };
    let ((numbers_a, letter_a), (numbers_b, letter_b)) = (split(a), split(b));
    let numbers = |text: &str| text.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>();
    numbers(&numbers_a).cmp(&numbers(&numbers_b)).then_with(|| letter_a.cmp(&letter_b))
}
