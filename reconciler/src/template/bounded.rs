//! What guarded code calls: joins that refuse what must not become text, and values of bounded depth.

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::secret::{STANDS_ALONE, SecretText};

/// The most bytes that a join gives, and that a value may stand for.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// What a value counts for beside its text.
const VALUE_BYTES: usize = 64;
/// How deep a value may be.
const MAX_DEPTH: usize = 48;
/// Values that are looked at for one unit of fuel.
const VALUES_PER_FUEL: u64 = 4;

pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_function("__join", join);
    engine.add_function("__bounded", bounded);
    engine.add_function("__bounded_within", bounded_within);
}

/// Joins its arguments, as `~` does.
fn join(state: &mut State<'_, '_>, operands: Rest<Value>) -> Result<String, Error> {
    let mut joined = String::new();
    for operand in operands.iter() {
        if SecretText::of_value(operand).is_some() {
            return Err(Error::new(ErrorKind::InvalidOperation, STANDS_ALONE));
        }
        match operand.as_str() {
            Some(text) => joined.push_str(text),
            None => joined.push_str(&state.format(operand.clone())?),
        }
        if joined.len() > MAX_BYTES {
            return Err(refused());
        }
    }
    Ok(joined)
}

/// Its argument, if that is neither too deep nor too large.
fn bounded(state: &mut State<'_, '_>, value: Value) -> Result<Value, Error> {
    check_bounded(state, &value)?;
    Ok(value)
}

/// Its argument, if it may become part of another value.
fn bounded_within(state: &mut State<'_, '_>, value: Value) -> Result<Value, Error> {
    if is_namespace(&value) {
        return Err(refused());
    }
    bounded(state, value)
}

fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"))
}

/// Refuses what is too deep or too large. Namespaces may not lie in other values, which could make a circle.
pub(super) fn check_bounded(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    let mut visit = Visit { bytes_left: MAX_BYTES, visited: 0 };
    let checked = visit.check(value, 0);
    state.consume_fuel(visit.visited / VALUES_PER_FUEL)?;
    if checked.is_none() { Err(refused()) } else { Ok(()) }
}

struct Visit {
    bytes_left: usize,
    visited: u64,
}

impl Visit {
    fn check(&mut self, value: &Value, depth: usize) -> Option<()> {
        self.visited += 1;
        let bytes = VALUE_BYTES + value.as_str().map_or(0, str::len);
        self.bytes_left = self.bytes_left.checked_sub(bytes)?;
        let type_name = value.as_object().map_or("", |object| object.type_name());
        if depth > MAX_DEPTH || (depth > 0 && is_namespace(value)) {
            return None;
        }
        match value.kind() {
            // What is read of the model and of hosts is bounded, and may have effects.
            _ if type_name.starts_with(env!("CARGO_CRATE_NAME")) => Some(()),
            ValueKind::Seq | ValueKind::Iterable => {
                value.try_iter().ok()?.try_for_each(|item| self.check(&item, depth + 1))
            }
            ValueKind::Map => value.try_iter().ok()?.try_for_each(|key| {
                self.check(&key, depth + 1)?;
                self.check(&value.get_item(&key).unwrap_or_default(), depth + 1)
            }),
            _ => Some(()),
        }
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the value is too large, or nested too deeply")
}
