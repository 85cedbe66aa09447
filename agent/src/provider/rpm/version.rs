//! The order of rpm's version numbers: `[epoch:]version[-release]`, as `rpmvercmp` of rpm 4.15 and later.

use std::cmp::Ordering;

#[cfg(test)]
mod tests;

/// Compares two versions: epoch, version, release. No epoch is 0; a release that one of them has not does not count.
pub(in crate::provider) fn compare_versions(a: &str, b: &str) -> Ordering {
    let ((epoch_a, rest_a), (epoch_b, rest_b)) = (split_epoch(a), split_epoch(b));
    epoch_a.unwrap_or(0).cmp(&epoch_b.unwrap_or(0)).then_with(|| compare_rests(rest_a, rest_b))
}

/// Compares a version that a person wrote with an installed one: without an epoch it stands for every epoch.
pub(in crate::provider) fn compare_wanted(wanted: &str, installed: &str) -> Ordering {
    match split_epoch(wanted) {
        (Some(_), _) => compare_versions(wanted, installed),
        (None, rest) => compare_rests(rest, split_epoch(installed).1),
    }
}

fn split_epoch(version: &str) -> (Option<u64>, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) => (Some(epoch.parse().unwrap_or(0)), rest),
        None => (None, version),
    }
}

fn compare_rests(a: &str, b: &str) -> Ordering {
    let split = |text: &str| text.rsplit_once('-').map(|(a, b)| (a.to_owned(), b.to_owned()));
    match (split(a), split(b)) {
        (Some((version_a, release_a)), Some((version_b, release_b))) => {
            compare_parts(&version_a, &version_b).then_with(|| compare_parts(&release_a, &release_b))
        }
        (a_split, b_split) => {
            let version_a = a_split.map_or_else(|| a.to_owned(), |(version, _)| version);
            let version_b = b_split.map_or_else(|| b.to_owned(), |(version, _)| version);
            compare_parts(&version_a, &version_b)
        }
    }
}

/// `rpmvercmp`: segments of digits or of letters in turn; `~` sorts before everything, the end too, `^` before
/// everything but the end.
fn compare_parts(mut a: &str, mut b: &str) -> Ordering {
    let matters = |c: char| c.is_ascii_alphanumeric() || c == '~' || c == '^';
    loop {
        a = a.trim_start_matches(|c: char| !matters(c));
        b = b.trim_start_matches(|c: char| !matters(c));
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(rest_a), Some(rest_b)) => {
                (a, b) = (rest_a, rest_b);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(rest_a), Some(rest_b)) => {
                (a, b) = (rest_a, rest_b);
                continue;
            }
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (None, None) => {}
        }
        let (Some(first), Some(other)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        let numeric = first.is_ascii_digit();
        let (segment_a, segment_b) = (take_segment(&mut a, numeric), take_segment(&mut b, numeric));
        // A number is newer than letters.
        if other.is_ascii_digit() != numeric {
            return if numeric { Ordering::Greater } else { Ordering::Less };
        }
        let order = if numeric {
            let (a, b) = (segment_a.trim_start_matches('0'), segment_b.trim_start_matches('0'));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            segment_a.cmp(segment_b)
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the digits, or the letters, off the front of `rest`.
fn take_segment<'t>(rest: &mut &'t str, numeric: bool) -> &'t str {
    let inside = |c: char| if numeric { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
    let end = rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
    let (front, back) = rest.split_at(end);
    *rest = back;
    front
}
