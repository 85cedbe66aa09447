//! Bounds what the engine does not, in the code of a template before it is compiled.
//!
//! The engine's `~` writes `None`, and its `~` and `in` make text of any value, however large: so
//! `a ~ b` becomes `__join(a, b)`, and `a in b` becomes `__bounded(a) in b`. Values that a loop
//! nests ever deeper would exhaust the stack: so `set x = a` becomes `set x = __bounded((a))`.
//! So would long chains of operators, when they are compiled: they are refused. So is a call of `secret()` in an
//! operation, which would compare or change what nobody here knows.

mod limits;
mod secret_calls;
mod tag;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::TemplateFault;
use limits::check_chain;
use tag::Tag;

/// The most `elif` of a template; each is compiled within the one before.
const MAX_ELIFS: usize = 300;

/// Code with guards, and the way back to the code as it was written.
#[derive(Debug)]
pub(super) struct Guarded {
    code: String,
    /// Each after the offset of what it stands before, as it was written.
    edits: Vec<(usize, Edit)>,
}

/// A text in the place of some bytes of the written code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Edit {
    at: usize,
    /// Of edits at one place, the lower comes first.
    rank: u8,
    removed: usize,
    text: &'static str,
}

impl Guarded {
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// Where an offset of the guarded code was written.
    pub(super) fn written_offset(&self, guarded: usize) -> usize {
        let mut added = 0;
        let mut removed = 0;
        for (stands_before, edit) in &self.edits {
            let start = edit.at + added - removed;
            if guarded < start {
                break;
            }
            if guarded < start + edit.text.len() {
                return *stands_before;
            }
            added += edit.text.len();
            removed += edit.removed;
        }
        guarded + removed - added
    }
}

/// Guards an expression.
pub(super) fn guard_expression(code: &str) -> Result<Guarded, TemplateFault> {
    let mut tag = Tag::of_expression(0);
    for token in tokenize(code, true, SyntaxConfig::default()) {
        // What is no token is told when the code is compiled.
        let Ok((token, span)) = token else { break };
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        tag.add(&token, start, end).map_err(|reason| TemplateFault::new(start, reason))?;
    }
    Ok(with_edits(code, tag.end(code.len())))
}

/// Guards a template with statements.
pub(super) fn guard_template(source: &str, syntax: SyntaxConfig) -> Result<Guarded, TemplateFault> {
    let mut edits = Vec::new();
    let mut open: Option<Tag> = None;
    let mut elifs = 0;
    for token in tokenize(source, false, syntax) {
        let Ok((token, span)) = token else { break };
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        match (&token, &mut open) {
            (Token::VariableStart, _) => open = Some(Tag::of_expression(end)),
            (Token::BlockStart, _) => open = Some(Tag::of_statement(end)),
            (Token::VariableEnd | Token::BlockEnd, _) => {
                edits.extend(open.take().map(|tag| tag.end(start)).unwrap_or_default());
            }
            (_, Some(tag)) => {
                tag.add(&token, start, end).map_err(|reason| TemplateFault::new(start, reason))?;
                elifs += usize::from(matches!(token, Token::Ident("elif")));
                check_chain(elifs, MAX_ELIFS).map_err(|reason| TemplateFault::new(start, reason))?;
            }
            _ => {}
        }
    }
    Ok(with_edits(source, edits))
}

fn with_edits(source: &str, mut edits: Vec<Edit>) -> Guarded {
    edits.sort_by_key(|edit| (edit.at, edit.rank));
    let mut code = String::with_capacity(source.len());
    let mut position = 0;
    for edit in &edits {
        code.push_str(source.get(position..edit.at).unwrap_or_default());
        code.push_str(edit.text);
        position = edit.at + edit.removed;
    }
    code.push_str(source.get(position..).unwrap_or_default());
    let stands_before = |at: usize| {
        let after = source.get(at..).unwrap_or_default();
        at + (after.len() - after.trim_start().len())
    };
    let edits = edits.into_iter().map(|edit| (stands_before(edit.at), edit)).collect();
    Guarded { code, edits }
}

#[cfg(test)]
mod tests;
