//! What a comment tells in one piece: a fault, or a change with the hosts on which it is the same.

use super::on_hosts;
use super::phrase::{Phrase, longest_run};
use super::summary::may_run;
use crate::model::Finding;
use crate::plan::resource::ChangeKind;
use crate::plan::text::{counts, detail_lines, host_change_text};
use crate::plan::{FleetPlan, Grouped, HostChange, Reaction, ReactionKind, ResourceChange};

/// The longest address, place or value in a line, in characters.
const MAX_TEXT: usize = 200;
/// The longest reason of a fault, in characters.
const MAX_REASON: usize = 400;
/// Faults of a comment, so that they leave room for the changes.
const MAX_FINDINGS: usize = 20;
/// Hosts of a comment that cannot be told.
const MAX_WAITING: usize = 20;

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// What is wrong with the new side.
    Faults,
    /// What goes away.
    Deletions,
    /// What restarts, reloads or runs.
    Reactions,
    /// The rest.
    Changes,
    /// Hosts of which nothing can be told.
    Waiting,
}

impl Section {
    /// The heading.
    pub(super) fn title(self) -> &'static str {
        match self {
            Section::Faults => "#### Faults\nNothing of the environments concerned is published.\n\n",
            Section::Deletions => "#### Deletions\n",
            Section::Reactions => "#### Restarts and commands\n",
            Section::Changes => "#### Changes\n",
            Section::Waiting => "#### Cannot be told\n",
        }
    }
}

/// A heading with details that may be left out.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) section: Section,
    heading: Phrase,
    /// Lines as they are, but for what is active in them.
    details: Vec<String>,
}

impl Block {
    fn new(section: Section, heading: Phrase) -> Block {
        Block { section, heading, details: Vec::new() }
    }

    /// The heading alone.
    pub(super) fn short(&self) -> String {
        format!("{}\n\n", self.heading.to_markdown())
    }

    /// The heading with its details, folded; none where there are no details.
    pub(super) fn long(&self) -> Option<String> {
        if self.details.is_empty() {
            return None;
        }
        let details = self.details.join("\n");
        // Longer than any row of backticks, wherever: a line of context is indented, and would close a fence too.
        let fence = "`".repeat(longest_run(&details).max(2) + 1);
        let heading = self.heading.to_html();
        Some(format!("<details><summary>{heading}</summary>\n\n{fence}diff\n{details}\n{fence}\n</details>\n\n"))
    }
}

/// All of a plan, in the order of a comment. `short`: not all faults, waiting hosts and names of hosts.
pub(super) fn blocks_of(plan: &FleetPlan, short: bool) -> Vec<Block> {
    let mut blocks = findings(&plan.findings, if short { MAX_FINDINGS } else { usize::MAX });
    let (leaving, other): (Vec<_>, Vec<_>) = plan.hosts.iter().partition(|grouped| is_deletion(grouped.what));
    blocks.extend(leaving.into_iter().map(|grouped| host_block(grouped, Section::Deletions, short)));
    let of = |section| plan.changes.iter().filter(move |grouped| section_of(&grouped.what) == section);
    blocks.extend(of(Section::Deletions).map(|grouped| change_block(grouped, short)));
    blocks.extend(plan.reactions.iter().map(|grouped| reaction_block(grouped, short)));
    blocks.extend(of(Section::Reactions).map(|grouped| change_block(grouped, short)));
    blocks.extend(other.into_iter().map(|grouped| host_block(grouped, Section::Changes, short)));
    blocks.extend(of(Section::Changes).map(|grouped| change_block(grouped, short)));
    blocks.extend(waiting(plan, if short { MAX_WAITING } else { usize::MAX }));
    blocks
}

/// Whether a host leaves.
pub(super) fn is_deletion(change: HostChange) -> bool {
    matches!(change, HostChange::Retired | HostChange::RetiredAndReverted | HostChange::Unapproved)
}

fn section_of(change: &ResourceChange) -> Section {
    match change.kind {
        ChangeKind::Removed { .. } => Section::Deletions,
        _ if may_run(change) => Section::Reactions,
        _ => Section::Changes,
    }
}

fn findings(findings: &[Finding], most: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> = findings.iter().take(most).map(finding_block).collect();
    if let Some(more) = findings.len().checked_sub(most).filter(|more| *more > 0) {
        let told = Phrase::default().own(&format!("and {more} more, which `muster validate` lists"));
        blocks.push(Block::new(Section::Faults, told));
    }
    blocks
}

fn finding_block(finding: &Finding) -> Block {
    let told = Phrase::default().own("**fault** ").code(&finding.place.to_string(), MAX_TEXT).own(": ");
    let told = told.code(&finding.reason, MAX_REASON);
    let told = match &finding.hint {
        Some(hint) => told.own(", ").code(hint, MAX_REASON),
        None => told,
    };
    Block::new(Section::Faults, told)
}

fn host_block(grouped: &Grouped<HostChange>, section: Section, short: bool) -> Block {
    let mark = if section == Section::Deletions { "**deletion** " } else { "**host** " };
    let told = Phrase::default().own(&format!("{mark}{}, ", host_change_text(grouped.what)));
    Block::new(section, on_hosts(told, &grouped.hosts, short))
}

fn reaction_block(grouped: &Grouped<Reaction>, short: bool) -> Block {
    let mark = match grouped.what.reaction {
        ReactionKind::Restarts => "**restart** ",
        ReactionKind::Reloads => "**reload** ",
        ReactionKind::Runs => "**command run** ",
    };
    let told = Phrase::default().own(mark).code(&grouped.what.address.to_string(), MAX_TEXT).own(", ");
    Block::new(Section::Reactions, on_hosts(told, &grouped.hosts, short))
}

fn change_block(grouped: &Grouped<ResourceChange>, short: bool) -> Block {
    let change = &grouped.what;
    let run = may_run(change);
    let (mark, note) = match &change.kind {
        ChangeKind::Removed { kept: true } => ("**deletion** ", " left as it is".to_owned()),
        ChangeKind::Removed { kept: false } => ("**deletion** ", " returns to what was found".to_owned()),
        ChangeKind::Changed { contents, .. } if run => ("**command run**, changed: ", counts(contents)),
        ChangeKind::Added { contents, .. } if run => ("**command run**, new: ", counts(contents)),
        ChangeKind::Changed { contents, .. } => ("**change** ", counts(contents)),
        ChangeKind::Added { contents, .. } => ("**new** ", counts(contents)),
    };
    let told = Phrase::default().own(mark).code(&change.address.to_string(), MAX_TEXT).own(&format!("{note}, "));
    let heading = on_hosts(told, &grouped.hosts, short);
    Block { section: section_of(change), heading, details: detail_lines(change) }
}

fn waiting(plan: &FleetPlan, most: usize) -> Vec<Block> {
    let told = plan.waiting.iter().take(most).map(|(host, missing)| {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let told = Phrase::default().own("**host** ").code(host.as_str(), MAX_TEXT).own(" waits for ");
        Block::new(Section::Waiting, told.code(&missing.join(", "), MAX_REASON))
    });
    let mut blocks: Vec<Block> = told.collect();
    if let Some(more) = plan.waiting.len().checked_sub(most).filter(|more| *more > 0) {
        blocks.push(Block::new(Section::Waiting, Phrase::default().own(&format!("and {more} more hosts"))));
    }
    blocks
}
