//! The filters that make text refuse null and undefined, which they would print.

use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::engine::{built_in, unprintable};

/// Built-in filters that turn their input into text.
const TEXT_FILTERS: [&str; 13] = [
    "capitalize",
    "escape",
    "e",
    "format",
    "indent",
    "join",
    "lower",
    "replace",
    "string",
    "title",
    "trim",
    "upper",
    "urlencode",
];

pub(super) fn refuse_null(engine: &mut Environment<'static>) {
    for name in TEXT_FILTERS {
        engine.add_filter(name, move |state: &mut State<'_, '_>, input: Value, rest: minijinja::value::Rest<Value>| {
            apply(state, name, input, &rest)
        });
    }
}

fn apply(state: &mut State<'_, '_>, name: &str, input: Value, rest: &[Value]) -> Result<Value, Error> {
    let input = if name == "join" { collected(state, &input)? } else { input };
    for (index, value) in std::iter::once(&input).chain(rest).enumerate() {
        let undefined = index == 0 && value.is_undefined();
        let reason = if undefined { Some("the value is undefined") } else { unprintable(value) };
        if let Some(reason) = reason {
            return Err(Error::new(ErrorKind::InvalidOperation, format!("{reason}, and would be text by '{name}'")));
        }
    }
    let mut built_in = built_in().empty_state();
    let arguments: Vec<Value> = std::iter::once(input).chain(rest.iter().cloned()).collect();
    built_in.apply_filter(name, &arguments)
}

/// The items of what may be looked through only once.
fn collected(state: &State<'_, '_>, input: &Value) -> Result<Value, Error> {
    if input.as_str().is_some() || input.is_undefined() {
        return Ok(input.clone());
    }
    let mut items = Vec::new();
    for item in input.try_iter()? {
        state.consume_fuel(1)?;
        items.push(item);
    }
    Ok(Value::from(items))
}
