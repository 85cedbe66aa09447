//! zypper's XML, as far as it tells of packages.

use crate::provider::package::{PlannedInstall, Simulation};

#[cfg(test)]
mod tests;

/// Reads the summary of a transaction.
pub(super) fn load_simulation(output: &str) -> Simulation {
    let mut simulation = Simulation::default();
    let mut section = "";
    for tag in tags(output) {
        let name = tag.split_whitespace().next().unwrap_or_default();
        if name.starts_with("to-") {
            section = name;
        } else if name.starts_with("/to-") {
            section = "";
        }
        let (true, Some(package)) = (name == "solvable", attribute(tag, "name")) else { continue };
        if attribute(tag, "type").is_some_and(|kind| kind != "package") {
            continue;
        }
        if section == "to-remove" {
            simulation.removals.insert(package);
        } else if !section.is_empty() {
            let old = attribute(tag, "edition-old");
            let new = attribute(tag, "edition").unwrap_or_default();
            simulation.installs.push(PlannedInstall { name: package, old, new });
        }
    }
    simulation
}

/// The attributes `name` and `edition` of every tag of this kind.
pub(super) fn load_packages(output: &str, kind: &str) -> Vec<(String, String)> {
    let named = tags(output).filter(|tag| tag.split_whitespace().next() == Some(kind));
    named.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "edition")?))).collect()
}

/// What stands between `<` and `>`. Texts and attributes have neither: they are escaped.
fn tags(output: &str) -> impl Iterator<Item = &str> {
    output.split('<').skip(1).filter_map(|part| Some(part.split_once('>')?.0))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = format!(" {name}=\"");
    let (_, rest) = tag.split_once(start.as_str())?;
    Some(unescape(rest.split_once('"')?.0))
}

/// The text that XML escapes so.
pub(super) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
