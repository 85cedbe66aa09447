//! Whether a value may become text: no file ever says `None`, and none fills the memory.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::secret::{CAPTURED, MARK, STANDS_ALONE, SecretText};

/// How deep a printed value may be.
const MAX_DEPTH: usize = 48;
/// The most bytes that a printed value may have, about; lists of one long string share it until they are printed.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What each value counts for at least.
const VALUE_BYTES: usize = 64;

/// Refuses null, undefined, what is too large and what is nested too deeply, anywhere in a value.
///
/// The value itself may be undefined, for the engine tells that by name.
pub(super) fn check_printable(value: &Value) -> Result<(), String> {
    if value.is_undefined() {
        return Ok(());
    }
    let mut bytes_left = MAX_BYTES;
    check(value, 0, &mut bytes_left)
}

fn check(value: &Value, depth: usize, bytes_left: &mut usize) -> Result<(), String> {
    let bytes = VALUE_BYTES + value.as_str().map_or(0, str::len);
    let Some(fewer) = bytes_left.checked_sub(bytes).filter(|_| depth <= MAX_DEPTH) else {
        return Err("the value is too large, or nested too deeply".to_owned());
    };
    *bytes_left = fewer;
    match value.kind() {
        ValueKind::None if depth == 0 => Err("the value is null".to_owned()),
        ValueKind::None => Err("a value in it is null".to_owned()),
        ValueKind::Undefined => Err("a value in it is undefined".to_owned()),
        ValueKind::Plain if SecretText::of_value(value).is_some() => Err(STANDS_ALONE.to_owned()),
        ValueKind::String if value.as_str().is_some_and(|text| text.contains(MARK)) => Err(CAPTURED.to_owned()),
        ValueKind::Plain => Err("the value is an object or a function: name one of its attributes".to_owned()),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Invalid => {
            value.try_iter().map_err(reason)?.try_for_each(|item| check(&item, depth + 1, bytes_left))
        }
        ValueKind::Map => value.try_iter().map_err(reason)?.try_for_each(|key| {
            check(&key, depth + 1, bytes_left)?;
            check(&value.get_item(&key).map_err(reason)?, depth + 1, bytes_left)
        }),
        _ => Ok(()),
    }
}

fn reason(error: minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
