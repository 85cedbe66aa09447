//! Hosts in few words.

use std::collections::BTreeSet;

use muster_schema::HostId;

/// Names and rows of names that a comment has for each change.
pub(super) const MOST_NAMES: usize = 20;
/// Hosts from which on a row is shorter than its names.
const SHORTEST_ROW: usize = 3;

/// `web-1 … web-40, db-1`: rows of numbers in one piece, of which none is missing. Of more than `most` pieces tells how
/// many hosts are not named.
pub(super) fn name_hosts(hosts: &BTreeSet<HostId>, most: usize) -> (String, usize) {
    let mut numbered: Vec<Numbered<'_>> = hosts.iter().map(|host| Numbered::of(host.as_str())).collect();
    numbered.sort();
    let rows: Vec<&[Numbered<'_>]> = numbered
        .chunk_by(|a, b| a.is_followed_by(b))
        .flat_map(|row| if row.len() < SHORTEST_ROW { row.chunks(1) } else { row.chunks(row.len()) })
        .collect();
    let named: Vec<String> = rows
        .iter()
        .take(most)
        .map(|row| match row {
            [first, .., last] => format!("{} … {}", first.whole, last.whole),
            [one] => one.whole.to_owned(),
            [] => String::new(),
        })
        .collect();
    (named.join(", "), rows.iter().skip(most).map(|row| row.len()).sum())
}

/// A host's id, taken apart at the last number of its first label. Ordered by that number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Numbered<'a> {
    before: &'a str,
    after: &'a str,
    number: Option<u64>,
    digits: &'a str,
    whole: &'a str,
}

impl<'a> Numbered<'a> {
    fn of(whole: &'a str) -> Numbered<'a> {
        let label = whole.split('.').next().unwrap_or(whole);
        let end = label.rfind(|c: char| c.is_ascii_digit()).map_or(0, |last| last + 1);
        let start = label[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |last| last + 1);
        let digits = &whole[start..end];
        Numbered { before: &whole[..start], after: &whole[end..], number: digits.parse().ok(), digits, whole }
    }

    /// Whether `next` is the host after this one, written alike.
    fn is_followed_by(&self, next: &Numbered<'_>) -> bool {
        let Some(following) = self.number.and_then(|number| number.checked_add(1)) else { return false };
        let following = format!("{following:0width$}", width = self.digits.len());
        self.before == next.before && self.after == next.after && next.digits == following
    }
}
