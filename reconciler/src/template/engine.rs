//! The engine as all templates get it.

use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, escape_formatter};

use super::{FUEL, text_filters};

/// The name of the only template of an engine.
pub(super) const ONLY: &str = "template";
/// How deep a printed value may be.
const MAX_DEPTH: usize = 48;
/// How many values a printed value may have within it.
const MAX_VALUES: usize = 200_000;

/// An engine without templates; expressions are compiled in it.
pub(super) fn expressions() -> &'static Environment<'static> {
    static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
        let mut engine = bare();
        text_filters::refuse_null(&mut engine);
        engine
    });
    &ENGINE
}

/// The engine with MiniJinja's own filters.
pub(super) fn built_in() -> &'static Environment<'static> {
    static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(bare);
    &ENGINE
}

fn bare() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_debug(false);
    engine.remove_global("debug");
    let syntax = minijinja::syntax::SyntaxConfig::builder().keep_trailing_newline(true).build();
    if let Ok(syntax) = syntax {
        engine.set_syntax(syntax);
    }
    engine.set_formatter(|out, state, value| {
        if let Some(reason) = unprintable(value) {
            return Err(Error::new(ErrorKind::InvalidOperation, reason));
        }
        escape_formatter(out, state, value)
    });
    engine
}

/// A value as text within a string.
pub(super) fn printed(value: &Value) -> Result<String, String> {
    match unprintable(value) {
        Some(reason) => Err(reason.to_owned()),
        None => Ok(value.to_string()),
    }
}

/// Why a value must not be printed: no file ever says `None`. The value itself may be undefined,
/// for the engine tells that by name.
pub(super) fn unprintable(value: &Value) -> Option<&'static str> {
    if value.is_undefined() {
        return None;
    }
    let mut left = MAX_VALUES;
    missing_within(value, 0, &mut left)
}

fn missing_within(value: &Value, depth: usize, left: &mut usize) -> Option<&'static str> {
    let Some(fewer) = left.checked_sub(1).filter(|_| depth <= MAX_DEPTH) else {
        return Some("the value is too large, or nested too deeply");
    };
    *left = fewer;
    match value.kind() {
        ValueKind::None if depth == 0 => Some("the value is null"),
        ValueKind::None => Some("a value in it is null"),
        ValueKind::Undefined => Some("a value in it is undefined"),
        ValueKind::Plain => Some("the value is an object or a function: name one of its attributes"),
        ValueKind::Seq => {
            let mut items = value.try_iter().ok()?;
            items.find_map(|item| missing_within(&item, depth + 1, left))
        }
        ValueKind::Map => {
            let mut keys = value.try_iter().ok()?;
            keys.find_map(|key| missing_within(&value.get_item(&key).ok()?, depth + 1, left))
        }
        _ => None,
    }
}

/// What an error about `code` says, without its place.
pub(super) fn reason_of(error: &Error, code: &str) -> String {
    let kind = error.kind();
    match (kind, error.detail()) {
        (ErrorKind::SyntaxError | ErrorKind::InvalidOperation, Some(detail)) => detail.to_owned(),
        (ErrorKind::TemplateNotFound, _) => "templates cannot load other templates".to_owned(),
        (_, Some(detail)) if detail.contains(&kind.to_string()) => detail.to_owned(),
        (_, Some(detail)) => format!("{kind}: {detail}"),
        (ErrorKind::UndefinedError, None) if !code.is_empty() => format!("`{code}` is undefined"),
        (_, None) => kind.to_string(),
    }
}
