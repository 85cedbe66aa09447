//! Pages of lists. Pure.

use muster_schema::api::Problem;
use muster_schema::fleet_api::Page;

use super::question::{Question, bad};

#[cfg(test)]
mod tests;

/// Something that stands in a list.
pub(super) trait Listed {
    /// What it goes by: no two of a list have the same.
    fn key(&self) -> String;
}

/// The page that is asked for, of a list in any order.
///
/// # Errors
/// When nothing in the list goes by what the page is to follow.
pub(super) fn page_of<T: Listed>(question: &Question, list: Vec<T>) -> Result<Page<T>, Problem> {
    let Some(after) = &question.after else { return Ok(page_from(question, list, 0, Listed::key)) };
    let last = list.iter().position(|item| item.key() == *after).ok_or_else(|| {
        bad(format!("nothing in this list goes by {after:?}, or not any more")).with_hint("begin anew, without 'after'")
    })?;
    Ok(page_from(question, list, last + 1, Listed::key))
}

/// The page that is asked for, of a list that is sorted by key: it goes on though the last item of the page before is
/// gone.
pub(super) fn page_of_sorted<T>(question: &Question, list: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
    let start = question.after.as_ref().map_or(0, |after| list.partition_point(|item| key(item) <= *after));
    page_from(question, list, start, key)
}

fn page_from<T>(question: &Question, list: Vec<T>, start: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let total = list.len();
    let items: Vec<T> = list.into_iter().skip(start).take(question.limit).collect();
    let is_last = start + items.len() >= total;
    let next = items.last().filter(|_| !is_last).map(key);
    Page { items, total, next }
}
