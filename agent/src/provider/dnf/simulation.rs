//! What dnf says that it would do: a table under headings.

use crate::provider::package::{PlannedInstall, Simulation};

#[cfg(test)]
mod tests;

/// What a heading says of the packages under it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Comes,
    Goes,
    Other,
}

/// Reads the table. A name too long for its column stands on a line of its own; what follows it, on the next.
pub(super) fn load_simulation(output: &str) -> Simulation {
    let mut simulation = Simulation::default();
    let mut section = Section::Other;
    let mut row: Vec<&str> = Vec::new();
    for line in output.lines() {
        if !line.starts_with(' ') {
            row.clear();
            section = section_of(line);
            continue;
        }
        if section == Section::Other {
            continue;
        }
        // `replacing  name.arch version` belongs to the row above it: what is replaced goes.
        if let Some(replaced) = line.trim_start().strip_prefix("replacing ") {
            let name = replaced.split_whitespace().next().and_then(|name| name.rsplit_once('.'));
            simulation.removals.extend(name.map(|(name, _)| name.to_owned()));
            continue;
        }
        row.extend(line.split_whitespace());
        let [name, _architecture, version, _repository, ..] = row[..] else { continue };
        match section {
            Section::Comes => simulation.installs.push(PlannedInstall {
                name: name.to_owned(),
                old: None,
                new: version.strip_prefix("0:").unwrap_or(version).to_owned(),
            }),
            Section::Goes => _ = simulation.removals.insert(name.to_owned()),
            Section::Other => {}
        }
        row.clear();
    }
    simulation
}

fn section_of(line: &str) -> Section {
    match line.trim_end() {
        "Installing:"
        | "Upgrading:"
        | "Downgrading:"
        | "Reinstalling:"
        | "Installing dependencies:"
        | "Installing weak dependencies:"
        | "Installing Groups:" => Section::Comes,
        "Removing:" | "Removing dependent packages:" | "Removing unused dependencies:" => Section::Goes,
        _ => Section::Other,
    }
}
