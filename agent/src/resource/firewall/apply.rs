//! Changing sections: checked as a whole, then the kernel in one step, then the file.

use super::ruleset::{REMOVAL, Ruleset};
use super::{FILE, INCLUDE, INCLUDED, MAIN, PERMANENT, rules};
use crate::host::{Program, ProgramOutput};
use crate::resource::generated_file::file_name_of;
use crate::resource::system_text::{append_line, load_text, system_path, write_own_text, write_shared_text};
use crate::resource::{BatchItem, Change, Hands, ResourceError, Value, check_sense};
use muster_schema::resource::{FirewallSpec, Spec};

/// One change of one resource.
type SectionChange<'a> = (&'a FirewallSpec, &'a str, &'a Change);

/// All together; where that fails, one by one, so that a mistake does not stop the others.
pub(super) fn apply_batch(items: &[BatchItem<'_>], hands: &Hands<'_>) -> Vec<Result<(), ResourceError>> {
    let changes: Vec<SectionChange<'_>> = items
        .iter()
        .filter_map(|item| match &item.resource.spec {
            Spec::Firewall(spec) => Some((spec, item.resource.address.id(), item.change)),
            _ => None,
        })
        .collect();
    match change_sections(&changes, hands) {
        Ok(()) => items.iter().map(|_| Ok(())).collect(),
        Err(_) => changes.iter().map(|change| change_sections(std::slice::from_ref(change), hands)).collect(),
    }
}

/// Makes the changes, or none of them.
pub(super) fn change_sections(changes: &[SectionChange<'_>], hands: &Hands<'_>) -> Result<(), ResourceError> {
    let path = system_path(FILE)?;
    let mut ruleset = Ruleset::parse(&load_text(&path, hands.host.reader().as_mut())?.unwrap_or_default());
    for (spec, id, change) in changes {
        let name = file_name_of(id);
        let section = match change.after(PERMANENT) {
            _ if change.removes() => None,
            Some(Value::Text(section)) => Some(section.to_string()),
            // It was not in the file.
            Some(_) => None,
            // Only the kernel differs.
            None => Some(rules::render_section(spec)),
        };
        if section.as_deref() == Some(&rules::render_section(spec)) {
            check_sense(*spec)?;
        }
        ruleset.set(name, section);
    }
    if ruleset.is_empty() {
        tell_kernel(&["nft", "-f", "-"], REMOVAL, hands)?;
        include(false, hands)?;
        return write_own_text(&path, "", hands);
    }
    let text = ruleset.render();
    tell_kernel(&["nft", "-c", "-f", "-"], &text, hands)?;
    tell_kernel(&["nft", "-f", "-"], &text, hands)?;
    write_own_text(&path, &text, hands)?;
    include(!changes.iter().any(|(.., change)| change.after(INCLUDED) == Some(&Value::Bool(false))), hands)
}

fn tell_kernel(argv: &[&str], text: &str, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let program =
        Program { stdin: text.as_bytes().to_vec(), timeout: hands.timeout, ..Program::new(argv.iter().copied()) };
    let output = hands.host.run(&program)?;
    if output.success() {
        return Ok(());
    }
    Err(ResourceError::Program { program: "nft".to_owned(), code: output.code, message: reason_of(&output) })
}

/// What nft says is wrong: it ends with the place, marked by `^`.
fn reason_of(output: &ProgramOutput) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let reason = text.lines().find_map(|line| line.split_once("Error: ")).map(|(_, reason)| reason.trim());
    reason.map_or_else(|| output.last_words(), |reason| reason.chars().take(300).collect())
}

/// Adds the line that includes our file, or takes it away.
fn include(wanted: bool, hands: &Hands<'_>) -> Result<(), ResourceError> {
    let path = system_path(MAIN)?;
    let found = load_text(&path, hands.host.reader().as_mut())?;
    let text = found.as_deref().unwrap_or_default();
    if is_included(text) == wanted {
        return Ok(());
    }
    let mut text: String = text.split_inclusive('\n').filter(|line| line.trim() != INCLUDE).collect();
    if wanted {
        append_line(&mut text, INCLUDE);
    }
    write_shared_text(&path, found.as_deref(), &text, hands)
}

/// Whether what the service loads includes our file.
pub(super) fn is_included(main: &str) -> bool {
    main.lines().any(|line| line.trim() == INCLUDE)
}
