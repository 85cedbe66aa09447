//! The filters and tests that make text of what they get refuse what must not become text.

use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, tests};

use super::bounded::check_bounded;
use super::engine::built_in;
use super::printable::check_printable;

/// Built-in filters that turn their input into text.
const OF_INPUT: [&str; 16] = [
    "capitalize",
    "escape",
    "e",
    "format",
    "indent",
    "join",
    "lines",
    "lower",
    "replace",
    "safe",
    "split",
    "string",
    "title",
    "trim",
    "upper",
    "urlencode",
];

/// Built-in tests that turn what they get into text.
const TESTS: [&str; 2] = ["startingwith", "endingwith"];

pub(super) fn refuse_unprintable(engine: &mut Environment<'static>) {
    for name in OF_INPUT {
        engine.add_filter(name, move |state: &mut State<'_, '_>, input: Value, rest: Rest<Value>| {
            let input = if name == "join" { collected(state, input)? } else { input };
            check_input(&input, name)?;
            built_in().empty_state().apply_filter(name, &checked_arguments(name, input, &rest)?)
        });
    }
    for (name, built_in) in of_arguments() {
        engine.add_filter(name, move |state: &mut State<'_, '_>, input: Value, rest: Rest<Value>| {
            built_in.call(state, &checked_arguments(name, input, &rest)?)
        });
    }
    for (name, built_in) in nesting() {
        engine.add_filter(name, move |state: &mut State<'_, '_>, arguments: Rest<Value>| {
            let value = built_in.call(state, &arguments)?;
            check_bounded(state, &value)?;
            Ok::<Value, Error>(value)
        });
    }
    engine.add_test("in", contains);
    for name in TESTS {
        engine.add_test(name, move |input: Value, other: Value| -> Result<bool, Error> {
            check_input(&input, name)?;
            check(&other, name)?;
            built_in().empty_state().perform_test(name, &[input, other])
        });
    }
}

/// Built-in filters that turn only what follows their input into text.
fn of_arguments() -> [(&'static str, Value); 4] {
    [
        ("select", Value::from_function(filters::select)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("reject", Value::from_function(filters::reject)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
    ]
}

/// Built-in filters that nest what they get.
fn nesting() -> [(&'static str, Value); 6] {
    [
        ("batch", Value::from_function(filters::batch)),
        ("slice", Value::from_function(filters::slice)),
        ("zip", Value::from_function(filters::zip)),
        ("items", Value::from_function(filters::items)),
        ("dictsort", Value::from_function(filters::dictsort)),
        ("groupby", Value::from_function(filters::groupby)),
    ]
}

/// `in`, which makes text of what it looks for in a text.
fn contains(state: &mut State<'_, '_>, value: Value, container: Value) -> Result<bool, Error> {
    if container.as_str().is_some() {
        check_input(&value, "in")?;
    }
    tests::is_in(state, &value, &container)
}

fn checked_arguments(name: &str, input: Value, rest: &[Value]) -> Result<Vec<Value>, Error> {
    rest.iter().try_for_each(|value| check(value, name))?;
    Ok(std::iter::once(input).chain(rest.iter().cloned()).collect())
}

fn check_input(value: &Value, name: &str) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(refused("the value is undefined", name));
    }
    check(value, name)
}

fn check(value: &Value, name: &str) -> Result<(), Error> {
    check_printable(value).map_err(|reason| refused(&reason, name))
}

fn refused(reason: &str, name: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{reason}, and would be text by '{name}'"))
}

/// The items of what may be looked through only once.
fn collected(state: &State<'_, '_>, input: Value) -> Result<Value, Error> {
    if input.as_str().is_some() || input.is_undefined() {
        return Ok(input);
    }
    let mut items = Vec::new();
    for item in input.try_iter()? {
        state.consume_fuel(1)?;
        items.push(item);
    }
    Ok(Value::from(items))
}
