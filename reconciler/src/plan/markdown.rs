//! A plan for a pull request.

use std::fmt::Write;

use super::FleetPlan;
use super::text::{change_line, detail_lines, host_line, reaction_line, summary};

/// Bytes that a comment may have on any forge.
const MAX_BYTES: usize = 60_000;

/// The plan as Markdown: the summary first, then one line a group, its details folded.
pub fn render_markdown(plan: &FleetPlan) -> String {
    let mut text = format!("### Plan: {}\n\n", escaped(&summary(plan)));
    if !plan.findings.is_empty() {
        text.push_str("**The repository is faulty; nothing of the environments concerned is published.**\n\n");
        for finding in &plan.findings {
            let _ = writeln!(text, "- `{}` {}", finding.place, escaped(&finding.reason));
        }
        text.push('\n');
    }
    for grouped in &plan.hosts {
        let _ = writeln!(text, "- {}", escaped(&host_line(grouped)));
    }
    for grouped in &plan.reactions {
        let _ = writeln!(text, "- **{}**", escaped(&reaction_line(grouped)));
    }
    if !plan.hosts.is_empty() || !plan.reactions.is_empty() {
        text.push('\n');
    }
    for (index, grouped) in plan.changes.iter().enumerate() {
        let mut part = String::new();
        let details = detail_lines(&grouped.what);
        let line = escaped(&change_line(grouped));
        if details.is_empty() {
            let _ = writeln!(part, "{line}\n");
        } else {
            let fence = fence_for(&details);
            let _ = writeln!(part, "<details><summary>{line}</summary>\n\n{fence}diff");
            details.iter().for_each(|line| _ = writeln!(part, "{line}"));
            let _ = writeln!(part, "{fence}\n</details>\n");
        }
        if text.len() + part.len() > MAX_BYTES {
            let _ = writeln!(text, "… and {} more groups of changes", plan.changes.len() - index);
            break;
        }
        text.push_str(&part);
    }
    for (host, missing) in plan.waiting.iter().take(20) {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "- {host} cannot be told: it waits for {}", escaped(&missing.join(", ")));
    }
    text
}

/// A fence that no line of the details closes.
fn fence_for(details: &[String]) -> String {
    let longest = details.iter().map(|line| line.chars().take_while(|c| *c == '`').count()).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Text that Markdown and HTML leave as it is.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '*' | '_' | '`' | '[' | ']' | '|' | '\\' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}
