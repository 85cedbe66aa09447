//! A plan as one comment of a pull request, which is edited in place.
//!
//! The text of a candidate is a stranger's: it stands in code and in fences that it cannot leave, so that it is no
//! markup, no HTML, no link and no mention, and no line begins with it, so that it is no command of a forge either.

mod block;
mod hosts;
mod layout;
mod phrase;
mod summary;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use muster_schema::{FleetName, HostId};

use self::block::blocks_of;
use self::layout::{Laid, lay_out};
use self::phrase::Phrase;
use self::summary::summary;
use super::FleetPlan;

/// The most bytes of a comment where nothing is said. GitHub takes 65,536 characters, GitLab 1,000,000, and Gitea and
/// Forgejo have no bound of their own.
pub const DEFAULT_MAX_BYTES: usize = 60_000;
/// What comes before the blocks always has room.
pub const LEAST_MAX_BYTES: usize = 4_000;
/// The longest name of a revision or file, in characters.
const MAX_NAME: usize = 120;

/// What a comment says beside the plan, and how long it may be.
#[derive(Debug, Clone, Copy)]
pub struct MarkdownOptions<'a> {
    /// The fleet, of the side that was reviewed before.
    pub fleet: Option<&'a FleetName>,
    /// The revision compared with, as it was given.
    pub base: &'a str,
    /// The most bytes; none: all is told, and all hosts are named.
    pub max_bytes: Option<usize>,
    /// The file that has the whole.
    pub whole: Option<&'a str>,
}

/// The plan as Markdown: the marker by which the comment is found again, the summary, then faults, deletions, what
/// restarts or runs, and the other changes, one block for each identical change. What exceeds the bound loses its
/// details first, from the end, then whole blocks.
pub fn render_markdown(plan: &FleetPlan, options: &MarkdownOptions<'_>) -> String {
    let blocks = blocks_of(plan, options.max_bytes.is_some());
    let head = format!("{}\n### Plan: {}\n\n{}", marker(options.fleet), summary(plan), compared(options));
    let Some(max_bytes) = options.max_bytes else {
        let laid = lay_out(&blocks, usize::MAX);
        return head + &laid.text;
    };
    let room = max_bytes.saturating_sub(head.len());
    let whole = lay_out(&blocks, room);
    if whole.is_whole() {
        return head + &whole.text;
    }
    // No count is longer than that of all blocks.
    let longest = Laid { text: String::new(), blocks_left_out: blocks.len(), details_left_out: blocks.len() };
    let laid = lay_out(&blocks, room.saturating_sub(left_out(&longest, options).len()));
    head + &left_out(&laid, options) + &laid.text
}

/// The first line of a comment: pages do not show it, and by it the comment is found again.
fn marker(fleet: Option<&FleetName>) -> String {
    match fleet {
        Some(fleet) => format!("<!-- muster plan of {fleet} -->"),
        None => "<!-- muster plan -->".to_owned(),
    }
}

fn compared(options: &MarkdownOptions<'_>) -> String {
    let base = Phrase::default().own("Compared with ").code(options.base, MAX_NAME).own(".").to_markdown();
    format!("{base} Changes that are the same on several hosts are told once.\n\n")
}

fn left_out(laid: &Laid, options: &MarkdownOptions<'_>) -> String {
    let told = Phrase::default().own(&format!(
        "**Not all is shown:** {} and the details of {} are left out. ",
        count(laid.blocks_left_out, "change"),
        count(laid.details_left_out, "more")
    ));
    let told = match options.whole {
        Some(file) => told.own("The whole is in ").code(file, MAX_NAME).own(" of the run that wrote this."),
        None => {
            told.own("The whole is told by ").code(&format!("muster plan --base {}", options.base), MAX_NAME).own(".")
        }
    };
    format!("{}\n\n", told.to_markdown())
}

/// `1 host`, `2 hosts`; `more` stays as it is.
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 || what == "more" { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// `, on 40 hosts: web-1 … web-40`.
fn on_hosts(phrase: Phrase, hosts: &BTreeSet<HostId>, short: bool) -> Phrase {
    let (named, more) = hosts::name_hosts(hosts, if short { hosts::MOST_NAMES } else { usize::MAX });
    let phrase = phrase.own(&format!("on {}: ", count(hosts.len(), "host"))).code(&named, usize::MAX);
    if more == 0 { phrase } else { phrase.own(&format!(" and {more} more")) }
}
