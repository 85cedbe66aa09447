//! The order of Debian's version numbers (Debian policy 5.6.12).

use std::cmp::Ordering;

#[cfg(test)]
mod tests;

/// Compares two versions as `dpkg --compare-versions` does: epoch, upstream version, revision.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    let ((epoch_a, rest_a), (epoch_b, rest_b)) = (split_epoch(a), split_epoch(b));
    let ((upstream_a, revision_a), (upstream_b, revision_b)) = (split_revision(rest_a), split_revision(rest_b));
    epoch_a
        .cmp(&epoch_b)
        .then_with(|| compare_parts(upstream_a, upstream_b))
        .then_with(|| compare_parts(revision_a, revision_b))
}

/// The epoch and the rest; no epoch is 0.
fn split_epoch(version: &str) -> (u64, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
        None => (0, version),
    }
}

/// Upstream version and revision; the last dash is between them, no revision is `0`.
fn split_revision(version: &str) -> (&str, &str) {
    version.rsplit_once('-').unwrap_or((version, "0"))
}

/// Compares texts and numbers in turn, as dpkg's `verrevcmp`.
fn compare_parts(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, text_b) = (split_digits(&mut a, false), split_digits(&mut b, false));
        let order = compare_texts(text_a, text_b);
        if order.is_ne() {
            return order;
        }
        let (number_a, number_b) = (split_digits(&mut a, true), split_digits(&mut b, true));
        let (number_a, number_b) = (number_a.trim_start_matches('0'), number_b.trim_start_matches('0'));
        // Without leading zeros the longer number is the greater one.
        let order = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Takes the digits, or what are none, off the front of `rest`.
fn split_digits<'t>(rest: &mut &'t str, digits: bool) -> &'t str {
    let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
    let (front, back) = rest.split_at(end);
    *rest = back;
    front
}

/// `~` sorts before the end, letters before everything else.
fn compare_texts(a: &str, b: &str) -> Ordering {
    let weight = |character: Option<char>| match character {
        Some('~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => letter as i32,
        Some(other) => other as i32 + 0x1_0000,
    };
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        let (next_a, next_b) = (a.next(), b.next());
        let order = weight(next_a).cmp(&weight(next_b));
        if order.is_ne() || (next_a.is_none() && next_b.is_none()) {
            return order;
        }
    }
}
