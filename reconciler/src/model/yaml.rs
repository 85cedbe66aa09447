//! People's YAML to a tree with places, within fixed budgets.
//!
//! YAML 1.2 with two differences that save people from surprises: a number with a leading zero
//! (`0644`) or a base prefix stays a string, and tags, merge keys and directives are refused.

mod builder;
mod scalar;

use std::sync::Arc;

use serde_saphyr::granit_parser::{self, Parser};

use super::{Finding, Node, Place};
use builder::TreeBuilder;

/// Bytes that a document may have.
pub const MAX_DOCUMENT_BYTES: u64 = 1 << 20;
/// Maps and lists that may lie in one another.
const MAX_DEPTH: usize = 48;
/// Values that a document may have, aliases counted as what they stand for.
const MAX_NODES: usize = 200_000;

/// Parses a document. A file that is not well-formed gives one finding; keys that are given twice
/// give one each.
pub fn load_yaml(file: &Arc<str>, bytes: &[u8]) -> Result<Node, Vec<Finding>> {
    let start = Place::start_of(file);
    if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
        let reason = "the document is larger than 1 MiB";
        return Err(vec![Finding::new(start, reason)]);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let place = Place::in_text(file.clone(), &valid, valid.len());
            return Err(vec![Finding::new(place, "the document is not UTF-8")]);
        }
    };
    let options = granit_parser::options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = TreeBuilder::new(file.clone());
    for event in Parser::new_from_str_with_options(text, options) {
        let pushed = match event {
            Ok((event, span)) => builder.push(event, span),
            Err(error) => Err(syntax_fault(file, &error)),
        };
        if let Err(fault) = pushed {
            return Err(vec![hint_at_unquoted_template(fault, text)]);
        }
    }
    builder.finish(start)
}

fn syntax_fault(file: &Arc<str>, error: &granit_parser::ScanError) -> Finding {
    let place = builder::place_of(file, error.marker());
    Finding::new(place, format!("not well-formed YAML: {}", error.info()))
}

/// `key: {{ value }}` is YAML for a map in a map: say what was meant.
fn hint_at_unquoted_template(fault: Finding, text: &str) -> Finding {
    let last = fault.place.line as usize;
    let lines = text.lines().skip(last.saturating_sub(2)).take(2);
    let unquoted = |line: &str| [": {{", "- {{", "[{{"].iter().any(|bad| line.contains(bad));
    let mut starts = lines.map(|line| unquoted(line) || line.trim_start().starts_with("{{"));
    if fault.hint.is_none() && starts.any(|unquoted| unquoted) {
        return fault.with_hint("put quotes around a template: \"{{ … }}\"");
    }
    fault
}

#[cfg(test)]
mod tests;
