//! Why a template cannot be compiled or evaluated.

use minijinja::{Error, ErrorKind};

use super::guard::Guarded;

/// Why a template cannot be compiled or evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// Where in the source, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub reason: String,
}

impl TemplateFault {
    pub(super) fn new(offset: usize, reason: impl Into<String>) -> TemplateFault {
        TemplateFault { offset, reason: reason.into() }
    }

    /// The fault of an error in guarded code, by its offset in the code as it was written.
    pub(super) fn of_error(error: &Error, guarded: &Guarded) -> TemplateFault {
        let error = innermost(error);
        let code = guarded.code();
        let range = error.range().unwrap_or_else(|| {
            let lines_before = error.line().unwrap_or(1).saturating_sub(1);
            let start = code.split_inclusive('\n').take(lines_before).map(str::len).sum();
            start..start
        });
        let offset = guarded.written_offset(range.start);
        TemplateFault { offset, reason: reason_of(error, code.get(range).unwrap_or_default()) }
    }

    /// The fault of a part, as that of the whole.
    pub(super) fn moved_by(self, bytes: usize) -> TemplateFault {
        TemplateFault { offset: self.offset + bytes, ..self }
    }
}

/// The error at the bottom: those above it only say through which construct it came.
fn innermost(error: &Error) -> &Error {
    let mut innermost = error;
    while let Some(source) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref()) {
        innermost = source;
    }
    innermost
}

/// What an error about `code` says, without its place.
fn reason_of(error: &Error, code: &str) -> String {
    let kind = error.kind();
    match (kind, error.detail()) {
        (ErrorKind::OutOfFuel, _) => "the template takes too much work or memory".to_owned(),
        (ErrorKind::SyntaxError | ErrorKind::InvalidOperation | ErrorKind::UndefinedError, Some(detail)) => {
            detail.to_owned()
        }
        (ErrorKind::TemplateNotFound, _) => "templates cannot load other templates".to_owned(),
        (ErrorKind::UnknownFunction, Some(detail)) => match detail.strip_suffix(" is unknown") {
            Some(name) => format!("`{name}` is undefined"),
            None => detail.to_owned(),
        },
        (ErrorKind::UnknownFilter | ErrorKind::UnknownTest, Some(detail)) => match detail.strip_suffix(" is unknown") {
            Some(named) => format!("there is no {named}"),
            None => detail.to_owned(),
        },
        (_, Some(detail)) if detail.contains(&kind.to_string()) => detail.to_owned(),
        (_, Some(detail)) => format!("{kind}: {detail}"),
        (ErrorKind::UndefinedError, None) if !code.is_empty() => format!("`{code}` is undefined"),
        (_, None) => kind.to_string(),
    }
}
